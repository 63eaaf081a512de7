import t from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { START, tokenPage } from '../helpers/token-page.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const LOOK_AT_ME = 'document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))'
const HOUR = 3_600_000

function hints (now: number, { issued = now, refresh = 720_000, end = 900_000 } = {}) {
  const at = (time: number) => new Date(time).toISOString()
  return { issuedAt: at(issued), refreshAfter: at(now + refresh), expiresAt: at(now + end) }
}

t.test('concurrent calls of the page share one request, and each of them receives a string', async (t) => {
  const { answer, keep, pass, run, until } = await tokenPage(t, browser)
  let release = (): void => {}
  answer(async () => {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return { token: 'slow' }
  })
  await keep('url: "/token"')
  await until('active === 1')
  await run(
    `for (let times = 0; times < 50; times++) { window.asked = keeper.refresh(); keeper.token(); dispatchEvent(new Event("online")); ${LOOK_AT_ME} }`
  )
  await pass(5_000, { idle: false })
  t.equal(await run('calls.length'), 1)
  release()
  t.equal(await run('asked'), 'slow')
  t.equal(await run('keeper.token()'), 'slow')
  t.same(await run('tokens.map((token) => typeof token)'), ['string'])
  t.equal(await run('most'), 1)
})

t.test('a hundred refreshes leave one timer: one request per token lifetime follows', async (t) => {
  const { keep, pass, run, until } = await tokenPage(t, browser)
  await keep('url: "/token", ttl: 900_000')
  await until('tokens.length === 1')
  for (let times = 0; times < 100; times++) await run('keeper.refresh()')
  t.equal(await run('calls.length'), 101)
  t.equal(await run('timers.size'), 1)
  await pass(719_000)
  t.equal(await run('calls.length'), 101, 'no request before four fifths of the lifetime')
  await pass(47_000)
  t.equal(await run('calls.length'), 102, 'a request long before the end')
  // The request was sent within the last 46 seconds.
  await pass(670_000)
  t.equal(await run('calls.length'), 102)
  t.equal(await run('most'), 1)
  await run('keeper.stop()')
  t.equal(await run('timers.size'), 0)
})

t.test('after stop() a response is ignored and no request is sent', async (t) => {
  for (const stop of ['keeper.stop()', 'aborter.abort()']) {
    const { answer, keep, pass, run, until } = await tokenPage(t, browser)
    let release = (): void => {}
    answer(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return { token: 'late' }
    })
    await run('window.aborter = new AbortController(), 0')
    // The function ignores its signal.
    await keep('fetch: () => fetch("/token"), signal: aborter.signal')
    await until('active === 1')
    await run(`window.waiting = keeper.token().catch(({ message }) => message); ${stop}`)
    release()
    await until('active === 0')
    t.equal(await run('waiting'), 'stopped')
    await run(`dispatchEvent(new Event("online")); ${LOOK_AT_ME}`)
    t.equal(await run('keeper.refresh().catch(({ message }) => message)'), 'stopped')
    await pass(400_000)
    t.same(await run('[tokens.length, errors.length, thrown.length, calls.length]'), [0, 0, 0, 1], stop)
  }
})

t.test('with an aborted signal no request is sent', async (t) => {
  const { keep, run, pass } = await tokenPage(t, browser)
  await keep('url: "/token", signal: AbortSignal.abort()')
  await pass(10_000)
  t.equal(await run('calls.length'), 0)
})

t.test('after a sleep of hours the page gets a new token when it is shown, and after half a minute ' +
  'in any case', async (t) => {
  for (const [seen, wait] of [[LOOK_AT_ME, 0], ['keeper.token()', 0], ['0', 31_000]] as const) {
    const { keep, pass, page, run, until } = await tokenPage(t, browser)
    await keep('url: "/token"')
    await until('tokens.length === 1')
    // The date advances while the timers stand still.
    await page.clock.setSystemTime(START + 5 * HOUR)
    t.equal(await run('tokens.length'), 1)
    await run(seen)
    await pass(wait)
    await until('tokens.length === 2')
    t.equal(await run('keeper.token()'), 'token 2')
  }
})

t.test('showing the page before a refresh is due sends no request', async (t) => {
  const { keep, pass, run, until } = await tokenPage(t, browser)
  await keep('url: "/token"')
  await until('tokens.length === 1')
  await pass(120_000)
  await run(`for (let times = 0; times < 20; times++) ${LOOK_AT_ME}`)
  t.equal(await run('calls.length'), 1)
})

t.test('a token expires on time although the clock is set back', async (t) => {
  const { keep, pass, page, run, until } = await tokenPage(t, browser)
  await keep('url: "/token", ttl: 600_000')
  await until('tokens.length === 1')
  await pass(400_000)
  await page.clock.setSystemTime(START - HOUR)
  await pass(120_000)
  t.equal(await run('tokens.length'), 2)
})

t.test("a page whose clock is wrong uses the times of the server's response", async (t) => {
  for (const wrong of [-26 * HOUR, -HOUR, 890_000, 26 * HOUR]) {
    const { answer, keep, now, pass, run, until } = await tokenPage(t, browser)
    let made = 0
    answer(() => ({ token: `token ${++made}`, ...hints(now() + wrong) }))
    await keep('url: "/token"')
    await until('tokens.length === 1')
    await pass(700_000)
    t.equal(await run('calls.length'), 1, `${wrong} ms`)
    t.equal(await run('keeper.token()'), 'token 1')
    await pass(100_000)
    t.equal(await run('calls.length'), 2)
  }
})

t.test('invalid times count as missing and never cause repeated requests', async (t) => {
  const senseless = [
    { expiresAt: 'soon' },
    { expiresAt: new Date(START - HOUR).toISOString() },
    { issuedAt: 'x', refreshAfter: 'x', expiresAt: 'x' },
    { refreshAfter: new Date(0).toISOString() },
    { ttl: -1 },
    { ttl: 0.001 },
    { ttl: '1' },
    { expiresAt: new Date(START + 1).toISOString() }
  ]
  for (const times of senseless) {
    const { answer, keep, pass, run } = await tokenPage(t, browser)
    let made = 0
    answer(() => ({ token: `token ${++made}`, ...times }))
    await keep('url: "/token"')
    await pass(60_000)
    const calls = await run<number>('calls.length')
    t.ok(calls >= 1 && calls <= 7, `${calls} requests a minute: ${JSON.stringify(times)}`)
  }
})

t.test('a lifetime longer than the longest timer does not expire immediately', async (t) => {
  const { keep, pass, page, run, until } = await tokenPage(t, browser)
  await keep('url: "/token", ttl: 60 * 86_400_000')
  await until('tokens.length === 1')
  await pass(60_000)
  await page.clock.setSystemTime(START + 47 * 86_400_000)
  await pass(31_000)
  t.equal(await run('calls.length'), 1)
  await page.clock.setSystemTime(START + 57 * 86_400_000)
  await pass(31_000)
  t.equal(await run('calls.length'), 2)
})
