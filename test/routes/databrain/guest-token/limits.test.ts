import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'
import t from 'tap'

import { FORBIDDEN } from '../../../../lib/errors.js'
import { sha256Hex } from '../../../../signing/digest.js'
import { auditEntries } from '../../../helpers/audit-entries.js'
import { guestTokenApp, mint, PATH, PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { reply } from '../../../helpers/stub-upstream.js'

const BEARER = { authorization: `Bearer ${PROXY_KEY}` }

t.test('a user above the limit gets 429 with Retry-After, and another user of the same address gets 200', async (t) => {
  const { ask } = await guestTokenApp(t, { userRateLimit: { max: 2, timeWindow: '1 minute' } })
  t.same([(await ask('ann')).statusCode, (await ask('ann')).statusCode], [200, 200])
  const limited = await ask('ann')
  t.equal(limited.statusCode, 429)
  t.match(limited.json(), { error: { code: 'RATE_LIMITED', message: String } })
  t.ok(Number(limited.headers['retry-after']) > 0)
  t.equal(limited.headers['ratelimit-limit'], '2')
  t.equal((await ask('bob')).statusCode, 200)
})

t.test('the default limit is 60 calls per minute and user', async (t) => {
  const { ask } = await guestTokenApp(t, { userRateLimit: undefined } as object)
  const statuses = []
  for (let at = 0; at < 61; at++) statuses.push((await ask('ann')).statusCode)
  t.same(statuses, [...new Array(60).fill(200), 429])
})

t.test('wrong keys are limited per address, and neither X-Forwarded-For nor another reference changes the ' +
  'address', async (t) => {
  const { app, ask } = await guestTokenApp(t, { rateLimit: { max: 3, timeWindow: '1 minute' } })
  const statuses = []
  for (let at = 0; at < 6; at++) {
    const headers = {
      authorization: `Bearer wrong ${at}`,
      'x-forwarded-for': `10.0.0.${at}`,
      forwarded: `for=10.0.0.${at}`,
      'x-real-ip': `10.0.0.${at}`
    }
    statuses.push((await ask(`user ${at}`, { headers })).statusCode)
  }
  t.same(statuses, [401, 401, 401, 429, 429, 429])
  t.equal((await ask('ann')).statusCode, 429, 'the right key is limited too')
  const url = `${PATH}?ref=${app.userReference.sign({ sub: 'ann' })}`
  t.equal((await app.inject({ url, headers: BEARER, remoteAddress: '10.1.1.1' })).statusCode, 200)
})

t.test('an IPv6 network counts as one address, and other spellings of the path are 404', async (t) => {
  const { app, ask, databrain } = await guestTokenApp(t, { rateLimit: { max: 2, timeWindow: '1 minute' } })
  const statuses = []
  for (const host of [1, 2, 3]) {
    statuses.push((await ask('ann', { headers: {}, remoteAddress: `2001:db8:1:2::${host}` })).statusCode)
  }
  t.same(statuses, [401, 401, 429])
  const ref = app.userReference.sign({ sub: 'ann' })
  for (const path of [PATH.toUpperCase(), `${PATH}/`, `/${PATH}`, `${PATH}//`]) {
    t.equal(
      (await app.inject({ url: `${path}?ref=${ref}`, headers: BEARER, remoteAddress: '10.1.1.1' })).statusCode,
      404,
      path
    )
  }
  t.equal(databrain.connections(), 0)
})

t.test('each token is audited with user, digest, cached or minted, key and address', async (t) => {
  const { app, ask } = await guestTokenApp(t)
  await ask('ann', { headers: { ...BEARER, 'user-agent': 'databrain/1' } })
  await ask('ann')
  const [minted, cached] = await auditEntries(app, 2)
  t.match(minted, {
    action: 'guest_token.minted',
    userId: 'ann',
    resourceType: 'guest_token',
    resourceId: sha256Hex(tokenOf('ann')).slice(0, 16),
    ipAddress: '127.0.0.1',
    userAgent: 'databrain/1',
    changes: { cached: false, outcome: 'granted', dataAppName: 'sales', proxyKey: sha256Hex(PROXY_KEY).slice(0, 8) }
  })
  t.match(cached, { action: 'guest_token.minted', userId: 'ann', changes: { cached: true } })
  t.notMatch(JSON.stringify([minted, cached]), new RegExp(`${tokenOf('ann')}|${PROXY_KEY}`))
})

t.test('each further delivery of one cached token within a minute is counted in one entry, by user', async (t) => {
  const { app, ask } = await guestTokenApp(t)
  for (let times = 0; times < 4; times++) await ask('ann')
  await ask('bob')
  await ask('bob')
  const entries = await auditEntries(app, 4)
  t.same(entries.map(({ userId, changes }) => [userId, changes?.['cached']]), [['ann', false], ['ann', true],
    ['bob', false], ['bob', true]])
  await app.close()
  const { data } = await app.tokenStore.audit.list('default', { userId: 'ann' }, { limit: 10 })
  t.same(data.map(({ changes }) => changes?.['repeats']), [2, undefined])
})

t.test('each refusal is audited with its reason and, if known, its user', async (t) => {
  const { app, databrain, ask } = await guestTokenApp(t, {
    authorize: ({ userReference }) => {
      if (userReference?.sub === 'eve') throw new FORBIDDEN()
      return userReference === null ? null : { clientId: userReference.sub }
    },
    userRateLimit: { max: 1 },
    retries: 0
  })
  const outcomes: Array<[string | null, string]> = []
  const expectAudit = (userId: string | null, outcome: string): void => {
    outcomes.push([userId, outcome])
  }
  await ask('ann', { headers: { authorization: 'Bearer nonsense' } })
  expectAudit(null, '401')
  await ask('ann', { url: PATH, remoteAddress: '10.1.1.1' })
  expectAudit(null, 'UNAUTHORIZED')
  await ask('eve')
  expectAudit('eve', 'FORBIDDEN')
  await ask('a;b')
  expectAudit('a;b', 'FORBIDDEN')
  databrain.answer = reply('no', 500)
  await ask('dan')
  expectAudit('dan', 'INTERNAL_ERROR')
  databrain.answer = reply({ error: { code: 'CLIENT_ID_ERROR' } }, 400)
  await ask('fay')
  expectAudit('fay', 'CLIENT_ID_ERROR')
  await ask('fay')
  const entries = await auditEntries(app, outcomes.length)
  t.same(
    entries.map(({ userId, changes }) => [userId, changes?.outcome]),
    outcomes,
    'the repeated refusal of fay is counted, not listed'
  )
  t.same(new Set(entries.map(({ action }) => action)), new Set(['guest_token.refused']))
  t.same(new Set(entries.map(({ resourceId }) => resourceId)), new Set([null]))
})

t.test('a refusal of the rate limit is audited with the user', async (t) => {
  const { app, ask } = await guestTokenApp(t, { userRateLimit: { max: 1 } })
  await ask('ann')
  await ask('ann')
  const [, refused] = await auditEntries(app, 2)
  t.match(refused, { action: 'guest_token.refused', userId: 'ann', changes: { outcome: 'RATE_LIMITED' } })
})

t.test('a token that is minted after its caller disconnected is audited', async (t) => {
  const { app, databrain } = await guestTokenApp(t)
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const caller = connect(port, '127.0.0.1')
  databrain.answer = async (call, response) => {
    caller.destroy()
    while (await connections(app) > 0) await turn()
    await mint(call, response)
  }
  caller.write(
    `GET ${PATH}?ref=${
      app.userReference.sign({ sub: 'ann' })
    } HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${PROXY_KEY}\r\n\r\n`
  )
  const [entry] = await auditEntries(app, 1)
  t.match(entry, { action: 'guest_token.minted', userId: 'ann', changes: { outcome: 'granted' } })
})

function connections ({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => error === null ? resolve(count) : reject(error))
  )
}

t.test('the log of a 401 by "authorize" says that the request contains no user reference', async (t) => {
  const lines: string[] = []
  const { ask } = await guestTokenApp(t, {
    authorize: ({ userReference }) => userReference && { clientId: userReference.sub }
  }, { logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  t.equal((await ask('ann', { url: PATH })).statusCode, 401)
  t.match(lines.join(''), 'function returned no user; the request contains no user reference"')
})
