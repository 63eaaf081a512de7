import t from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { tokenPage } from '../helpers/token-page.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

interface Failure {
  message: string
  status?: number
  retryIn: number
}

t.test('failures of the server and the network are retried after growing pauses of at most a minute', async (t) => {
  const { answer, keep, pass, run } = await tokenPage(t, browser)
  let times = 0
  answer((reply) => {
    if (++times % 2 === 0) return reply.code(503).send({})
    // A browser itself repeats a request if the connection ends before the response, but not within it.
    reply.hijack().raw.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write(
      '{',
      () => reply.raw.destroy()
    )
  })
  await keep('url: "/token"')
  await pass(600_000)
  const errors = await run<Failure[]>('errors')
  t.ok(errors.length >= 12, `${errors.length} failures in ten minutes`)
  for (const [at, { retryIn, status }] of errors.entries()) {
    const longest = Math.min(1_000 * 2 ** at, 60_000)
    t.ok(retryIn >= longest / 2 && retryIn <= longest, `failure ${at + 1}: ${retryIn} ms`)
    t.equal(status, at % 2 === 0 ? undefined : 503)
  }
  const waits = await run<number[]>('calls.slice(1).map((at, before) => at - calls[before])')
  for (const [at, wait] of waits.entries()) {
    const late = wait - (errors[at]?.retryIn ?? 0)
    // The clock moves in steps of ten seconds, so that a retry can be up to ten seconds late.
    t.ok(late >= -1 && late <= 10_100, `${late} ms late`)
  }
  answer(() => ({ token: 'good' }))
  await pass(60_000)
  t.same(await run('tokens'), ['good'])
})

for (
  const [name, header, wait] of [['seconds', '120', 120_000], ['a date', 'Tue, 01 Jan 2030 00:02:00 GMT',
    120_000]] as const
) {
  t.test(`no event in the page causes a request before a Retry-After in ${name} is over`, async (t) => {
    const { answer, keep, pass, run, until } = await tokenPage(t, browser)
    answer((reply) => reply.code(429).header('retry-after', header).send({}))
    await keep('url: "/token"')
    await until('errors.length === 1')
    answer(() => ({ token: 'good' }))
    for (let times = 0; times < 11; times++) {
      await run(
        'keeper.refresh(), keeper.token(), dispatchEvent(new Event("online")), document.dispatchEvent(new ' +
          'Event("visibilitychange", { bubbles: true })), 0'
      )
      await pass(10_000)
    }
    t.equal(await run('calls.length'), 1)
    const [error] = await run<Failure[]>('errors')
    t.ok(error !== undefined && error.retryIn >= wait && error.retryIn <= wait + 1_000, `${error?.retryIn} ms`)
    await pass(20_000)
    t.same(await run('tokens'), ['good'])
  })
}

for (const status of [400, 401, 403]) {
  t.test(`after ${status} no request is sent until refresh() is called`, async (t) => {
    const { answer, keep, pass, run, until } = await tokenPage(t, browser)
    answer((reply) => reply.code(status).send({ error: { code: 'X', message: 'x' } }))
    await keep('url: "/token"')
    await until('errors.length === 1')
    t.equal(await run('errors[0].status'), status)
    t.equal(await run('errors[0].retryIn'), Infinity)
    await run(
      'dispatchEvent(new Event("online")), document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))'
    )
    await pass(200_000)
    t.equal(await run('calls.length'), 1)
    t.equal(await run('keeper.token().catch(({ status }) => status)'), status, 'token() rejects with the status')
    answer(() => ({ token: 'good' }))
    t.equal(await run('keeper.refresh()'), 'good')
    t.equal(await run('keeper.token()'), 'good')
    await pass(300_000)
    t.equal(await run('calls.length'), 3, 'refreshes continue')
  })
}

t.test('after a network failure the request is repeated as soon as the network is back', async (t) => {
  const { answer, keep, pass, run, page, until } = await tokenPage(t, browser)
  await keep('url: "/token"')
  await until('tokens.length === 1')
  await page.context().setOffline(true)
  await pass(300_000)
  const failed = await run<number>('calls.length')
  t.ok(failed > 3)
  answer(() => ({ token: 'good' }))
  await page.context().setOffline(false)
  await until('tokens.length === 2')
  t.same(await run('tokens[1]'), 'good')
  t.equal(await run('calls.length'), failed + 1)
})

t.test('a response without a token is a failure that is retried, and its body is never used as a token', async (t) => {
  const { answer, keep, pass, run, until } = await tokenPage(t, browser)
  const bad = ['<html>', '{}', '{"token":""}', '{"token":7}', '{"token":null}', 'null', '[]', '""']
  answer((reply) => reply.type('application/json').send(bad.shift() ?? '{"token":"good"}'))
  await keep('url: "/token"')
  await until('errors.length > 0')
  await pass(300_000)
  t.equal(await run('errors.length'), 8)
  t.equal(await run('tokens[0]'), 'good')
})

t.test('a request without a response is aborted after 30 seconds and repeated', async (t) => {
  const { answer, keep, pass, run, until } = await tokenPage(t, browser)
  let times = 0
  answer((reply) => {
    if (times++ > 0) return { token: 'good' }
    reply.hijack()
  })
  await keep('url: "/token"')
  await pass(29_000, { idle: false })
  t.equal(await run('errors.length'), 0)
  await pass(2_000, { idle: false })
  await until('errors.length === 1')
  await pass(2_000)
  await until('tokens.length === 1')
  t.equal(await run('errors.length'), 1)
  t.equal(await run('most'), 1)
})

t.test('an error from a callback is an unhandled rejection and does not stop the keeper', async (t) => {
  const { keep, pass, run, until } = await tokenPage(t, browser)
  await keep('url: "/token", onToken: (token) => { tokens.push(token); throw new Error("of the page") }')
  await until('thrown.length === 1')
  t.same(await run('thrown'), ['Error: of the page'])
  await pass(300_000)
  t.equal(await run('tokens.length'), 2)
  t.same(await run('errors'), [])
})
