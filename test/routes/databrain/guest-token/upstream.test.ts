import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { API_KEY, guestTokenApp, mint, PATH, PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { holdTimers } from '../../../helpers/held-timers.js'
import { selfSigned } from '../../../helpers/self-signed.js'
import {
  cut, drip, flood, gzipBomb, hang, inTurn, junk, redirect, reply,
  stubUpstream
} from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'

const failures: Record<string, Answer> = {
  'a 500': reply({ token: tokenOf('ann') }, 500),
  'a 500 with an error': reply({ error: { code: 'CLIENT_ID_ERROR' } }, 500),
  'a 429': reply('slow down', 429),
  'a closed connection': cut,
  'no HTTP': junk,
  'HTML with 200': reply('<html>maintenance</html>'),
  'an empty object': reply({}),
  'an empty body': reply(''),
  null: reply('null'),
  'a list': reply([tokenOf('ann')]),
  'a string': reply(`"${tokenOf('ann')}"`),
  'its own internal error': reply({ error: { code: 'INTERNAL_SERVER_ERROR', message: 'x' } }, 400),
  'a redirect': redirect('http://127.0.0.1:9/'),
  'a token with 302': reply({ token: tokenOf('ann') }, 302),
  'a flood': flood(5_000_000),
  'a gzip bomb': gzipBomb(5_000_000),
  ...Object.fromEntries(
    ['../x', '', null, {}, [], 7, true, tokenOf('ann').slice(1), `${tokenOf('ann')}\n`, ` ${tokenOf('ann')}`,
      'x'.repeat(10_240)]
      .map((token) => [`the token ${JSON.stringify(token).slice(0, 40)}`, reply({ token })])
  )
}

for (const [name, answer] of Object.entries(failures)) {
  t.test(`${name} from the upstream is 500, or 502 by option, and is not cached`, async (t) => {
    for (
      const [errorStatus, status, code] of [['product', 500, 'INTERNAL_ERROR'], ['gateway', 502,
        'UPSTREAM_ERROR']] as const
    ) {
      const { databrain, ask } = await guestTokenApp(t, { errorStatus, retries: 0 })
      databrain.answer = answer
      const response = await ask('ann')
      t.equal(response.statusCode, status)
      t.equal(response.json().error.code, code)
      t.equal(response.headers['cache-control'], 'no-store')
      databrain.answer = mint
      t.same((await ask('ann')).json(), { token: tokenOf('ann') })
    }
  })
}

t.test('an error of the upstream is 400 with its code if the code is known, and never with its message', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  const cases: Array<[unknown, number, string]> = [
    [{ code: 'CLIENT_ID_ERROR', message: 'l3aked' }, 400, 'CLIENT_ID_ERROR'],
    [{ code: 'AUTHENTICATION_ERROR', message: 'l3aked' }, 401, 'AUTHENTICATION_ERROR'],
    [{ code: 'RLS_SETTINGS_PARAM_ERROR', message: 'l3aked' }, 200, 'RLS_SETTINGS_PARAM_ERROR'],
    [{ code: 'L3AKED_NEW_CODE', message: 'l3aked' }, 400, 'INVALID_REQUEST'],
    [{ code: 'constructor' }, 400, 'INVALID_REQUEST'],
    [{ code: 7 }, 400, 'INVALID_REQUEST'],
    [{}, 400, 'INVALID_REQUEST'],
    ['l3aked', 400, 'INVALID_REQUEST'],
    [true, 200, 'INVALID_REQUEST']
  ]
  for (const [error, status, code] of cases) {
    databrain.answer = reply({ error, token: tokenOf('ann') }, status)
    const response = await ask('ann')
    t.equal(response.statusCode, 400, JSON.stringify(error))
    t.equal(response.json().error.code, code)
    t.notMatch(response.body, /l3aked/i)
  }
  for (const error of [null, undefined, false, '', 0]) {
    databrain.answer = reply({ error, token: tokenOf('bob') })
    t.equal((await ask(`bob ${error}`)).statusCode, 200, `error: ${error} is a success`)
  }
})

for (const [name, answer] of Object.entries({ hangs: hang, drips: drip() })) {
  t.test(`an upstream that ${name} is 500, or 504 by option, at the time limit`, async (t) => {
    const limit = holdTimers(t, 61_234)
    for (
      const [errorStatus, status, code] of [['product', 500, 'INTERNAL_ERROR'], ['gateway', 504,
        'UPSTREAM_TIMEOUT']] as const
    ) {
      const { databrain, ask } = await guestTokenApp(t, { errorStatus, timeout: 61_234 })
      databrain.answer = answer
      const asked = ask('ann')
      while (databrain.calls.length === 0) await sleep(10)
      limit.run()
      const response = await asked
      t.equal(response.statusCode, status)
      t.equal(response.json().error.code, code)
    }
  })
}

t.test('200 parallel calls to a hanging upstream end at the time limit, other routes respond meanwhile, and all ' +
  'sockets close', async (t) => {
  const limit = holdTimers(t, 61_234)
  const { app, databrain, ask } = await guestTokenApp(t, { timeout: 61_234 }, {}, (app) => {
    app.get('/healthz', async () => ({}))
  })
  databrain.answer = hang
  const calls = Promise.all(Array.from({ length: 200 }, (_, at) => ask(`user ${at}`)))
  while (limit.waiting() < 200) await sleep(10)
  for (let times = 0; times < 20; times++) t.equal((await app.inject('/healthz')).statusCode, 200)
  t.equal(limit.waiting(), 200, 'all calls still wait')
  limit.run()
  for (const { statusCode } of await calls) t.equal(statusCode, 500)
  while (databrain.openSockets() > 0) await sleep(10)
})

t.test('a call to the upstream that fails once is retried, and the caller gets 200', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  databrain.answer = inTurn(reply('no', 503), mint)
  t.same((await ask('ann')).json(), { token: tokenOf('ann') })
  t.equal(databrain.calls.length, 2)
})

t.test('an upstream with an untrusted certificate receives no API key', async (t) => {
  const tls = selfSigned()
  const databrain = await stubUpstream(t, mint, tls)
  const strict = await guestTokenApp(t, { apiUrl: databrain.origin, errorStatus: 'gateway', retries: 0 })
  t.equal((await strict.ask('ann')).statusCode, 502)
  t.equal(databrain.calls.length, 0)
  const trusting = await guestTokenApp(t, { apiUrl: databrain.origin, ca: tls.cert })
  t.equal((await trusting.ask('ann')).statusCode, 200)
})

t.test('the upstream receives neither headers nor the user reference of the caller', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  const headers = {
    authorization: `Bearer ${PROXY_KEY}`,
    cookie: 'c4ller',
    'x-forwarded-for': '6.6.6.6',
    'user-agent': 'c4ller',
    referer: 'https://c4ller'
  }
  t.equal((await ask('ann', { headers })).statusCode, 200)
  t.notMatch(databrain.rawBytes(), /c4ller|6\.6\.6\.6|ref=|pr0xy/)
})

t.test('no secret or token is in a response or in the log, and no string of the upstream is in a ' +
  'response', async (t) => {
  const lines: string[] = []
  const { app, databrain, ask } = await guestTokenApp(t, { retries: 0 }, {
    logger: {
      level: 'trace',
      stream: {
        write: (line: string) => {
          lines.push(line)
        }
      }
    }
  })
  const echo = (status: number): Answer => (call, response) =>
    reply(
      { error: { code: `w0rd ${call.headers.authorization}`, message: `w0rd ${call.headers.authorization}` } },
      status
    )(call, response)
  const answers: Answer[] = [
    echo(400),
    echo(401),
    echo(500),
    (call, response) => {
      response.socket?.end(`HTTP/1.1 200\r\nw0rd ${call.headers.authorization}\r\n\r\n`)
    },
    (call, response) => reply(`w0rd ${call.headers.authorization}`)(call, response),
    mint
  ]
  const bodies: string[] = []
  for (databrain.answer of answers) bodies.push((await ask('ann')).body)
  bodies.push((await ask('ann', { headers: { authorization: `Bearer ${PROXY_KEY}x` } })).body)
  const reference = app.userReference.sign({ sub: 'bob' })
  await ask('bob', { url: `${PATH}?ref=${reference}` })
  const replies = bodies.filter((body) => !body.includes(tokenOf('ann'))).join('\n')
  t.equal(bodies.length, 7)
  for (const secret of [API_KEY, PROXY_KEY]) {
    t.notOk(replies.includes(secret), `${secret.slice(0, 4)} in a response`)
    t.notOk(lines.join('').includes(secret), `${secret.slice(0, 4)} in the log`)
  }
  t.notOk(replies.includes('w0rd'), 'a string of the upstream in a response')
  t.notOk(lines.join('').includes(tokenOf('ann')), 'the token in the log')
  t.notOk(lines.join('').includes(reference), 'the user reference in the log')
  t.match(lines.join(''), /the upstream refused/, 'the log contains the cause')
})
