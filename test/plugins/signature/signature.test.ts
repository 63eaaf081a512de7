import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import signature from '../../../plugins/signature.js'
import { signBody, signTimestampedBody } from '../../../signing/datafly/body-signature.js'
import { signedApp } from '../../helpers/signed-app.js'
import type { SignedApp } from '../../helpers/signed-app.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const BODY = '{"event":"Order Done","n":1}'

type Headers = Record<string, string>

async function post ({ app, bearer }: SignedApp, headers: Headers, { url = '/optional', body = BODY } = {}) {
  return app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'content-type': 'application/json', ...bearer, ...headers }
  })
}

async function refused (t: Test, host: SignedApp, headers: Headers, code: string, options = {}): Promise<void> {
  const response = await post(host, headers, options)
  t.equal(response.statusCode, 401, JSON.stringify(headers))
  t.equal(response.json().error.code, code, JSON.stringify(headers))
}

const plain = (secret: string, body = BODY): Headers => ({ 'x-datafly-signature': signBody(secret, body) })
const timestamped = (secret: string, at: number | string = Date.now(), body = BODY): Headers => {
  return { 'x-signature': signTimestampedBody(secret, String(at), body), 'x-timestamp': String(at) }
}

t.test('both forms of signature are accepted, separately and together, and the parser gets the ' +
  'same bytes', async (t) => {
  const host = await signedApp(t)
  for (
    const headers of [plain(host.secret), timestamped(host.secret), {
      ...plain(host.secret),
      ...timestamped(host.secret)
    }]
  ) {
    for (const url of ['/optional', '/required']) {
      const response = await post(host, headers, { url })
      t.equal(response.statusCode, 200)
      t.same(response.json(), { signed: true, body: JSON.parse(BODY), raw: BODY })
    }
  }
})

t.test('without a signature an optional route is unsigned, and a required route is ' +
  '401 SIGNATURE_REQUIRED', async (t) => {
  const host = await signedApp(t)
  t.same((await post(host, {})).json(), { signed: false, body: JSON.parse(BODY), raw: null })
  await refused(t, host, {}, 'SIGNATURE_REQUIRED', { url: '/required' })
})

t.test('only "sha256=" and 64 hex digits is a signature, and a valid key does not replace ' +
  'an invalid signature', async (t) => {
  const host = await signedApp(t)
  const good = signBody(host.secret, BODY)
  const hex = good.slice(7)
  t.equal(
    (await post(host, { 'x-datafly-signature': `sha256=${hex.toUpperCase()}` })).json().signed,
    true,
    'hex in either case'
  )
  for (
    const value of [
      '',
      'sha256=',
      `sha1=${hex}`,
      hex,
      `sha256=${Buffer.from(hex, 'hex').toString('base64')}`,
      good.slice(0, -2),
      good.slice(0, -1),
      `${good}0`,
      `${good}${hex}`,
      `sha256=${'g'.repeat(64)}`,
      `${good},`,
      `${good}, ${good}`,
      `${good} ${good}`,
      `sha256= ${hex}`,
      `sha256 =${hex}`,
      `SHA256=${hex}`,
      `sha-256=${hex}`,
      `"${good}"`,
      'sha256=undefined',
      `sha256=${'0'.repeat(64)}`,
      `v1=${hex}`,
      `sha512=${hex}`,
      `\u00a0${good}`
    ]
  ) {
    await refused(t, host, { 'x-datafly-signature': value }, 'INVALID_SIGNATURE')
    await refused(
      t,
      host,
      { ...plain(host.secret), 'x-signature': value, 'x-timestamp': String(Date.now()) },
      'INVALID_SIGNATURE'
    )
  }
})

t.test('a signature without its timestamp, or a timestamp without its signature, is 401', async (t) => {
  const host = await signedApp(t)
  const { 'x-signature': half, 'x-timestamp': other } = timestamped(host.secret) as {
    'x-signature': string
    'x-timestamp': string
  }
  await refused(t, host, { 'x-signature': half }, 'TIMESTAMP_OUT_OF_RANGE')
  await refused(t, host, { 'x-timestamp': other }, 'INVALID_SIGNATURE')
  await refused(t, host, { ...plain(host.secret), 'x-timestamp': other }, 'INVALID_SIGNATURE')
  await refused(t, host, { ...plain(host.secret), 'x-signature': half }, 'TIMESTAMP_OUT_OF_RANGE')
})

t.test('both signatures must be valid if a request has two', async (t) => {
  const host = await signedApp(t)
  await refused(t, host, { ...plain('wrong'), ...timestamped(host.secret) }, 'INVALID_SIGNATURE')
  await refused(t, host, { ...plain(host.secret), ...timestamped('wrong') }, 'INVALID_SIGNATURE')
})

t.test('a timestamp is accepted up to 5 minutes off, and only as one number of milliseconds', async (t) => {
  const host = await signedApp(t)
  for (const off of [-299_000, 0, 299_000]) {
    t.equal((await post(host, timestamped(host.secret, Date.now() + off))).statusCode, 200, String(off))
  }
  const now = Date.now()
  for (const at of [now - 301_000, now + 301_000, Math.floor(now / 1000), now * 1000, 1]) {
    await refused(t, host, timestamped(host.secret, at), 'TIMESTAMP_OUT_OF_RANGE')
  }
  const { 'x-signature': signed } = timestamped(host.secret, now) as { 'x-signature': string }
  for (
    const text of ['', ' ', `${now}.0`, `+${now}`, `0${now}`, `${now}, ${now}`, new Date(now).toISOString(), 'NaN',
      '-1', `0x${now.toString(16)}`, `${now}e0`]
  ) {
    await refused(t, host, { 'x-signature': signed, 'x-timestamp': text }, 'TIMESTAMP_OUT_OF_RANGE')
  }
  await refused(t, host, { 'x-signature': signed, 'x-timestamp': String(now + 1) }, 'INVALID_SIGNATURE')
})

t.test('the tolerance option limits how far a timestamp is off', async (t) => {
  const host = await signedApp(t, {}, { tolerance: 1_000 })
  t.equal((await post(host, timestamped(host.secret))).statusCode, 200)
  await refused(t, host, timestamped(host.secret, Date.now() - 5_000), 'TIMESTAMP_OUT_OF_RANGE')
})

t.test('requireTimestamp refuses a signature without a timestamp', async (t) => {
  const host = await signedApp(t, { requireTimestamp: true })
  await refused(t, host, plain(host.secret), 'TIMESTAMP_OUT_OF_RANGE')
  t.equal((await post(host, timestamped(host.secret))).statusCode, 200)
  t.equal((await post(host, { ...plain(host.secret), ...timestamped(host.secret) })).statusCode, 200)
})

t.test('requireSignature requires a signature never, only without an origin, or always', async (t) => {
  for (
    const [requireSignature, bare, page] of [['never', 200, 200], ['without_origin', 401, 200], ['always', 401,
      401]] as const
  ) {
    const host = await signedApp(t, { requireSignature })
    for (const [headers, status] of [[{}, bare], [{ origin: SHOP }, page]] as const) {
      const response = await post(host, headers)
      t.equal(response.statusCode, status, requireSignature)
      if (status === 401) t.equal(response.json().error.code, 'SIGNATURE_REQUIRED')
      t.equal((await post(host, { ...headers, ...plain(host.secret) })).statusCode, 200)
    }
    t.equal(
      (await post(host, plain(host.secret), { url: '/off' })).statusCode,
      bare,
      `${requireSignature}: an unchecked signature does not count`
    )
  }
})

t.test('the signature of another source is refused', async (t) => {
  const host = await signedApp(t)
  const other = await makeSource(host.store)
  await refused(t, host, plain(other.secret), 'INVALID_SIGNATURE')
})

t.test('both secrets are valid during an overlap, and only the new secret afterwards', async (t) => {
  const host = await signedApp(t)
  const next = 'next-secret-0123456789'
  await host.store.sources.rotateSecret('acme', host.source.id, {
    serverSecret: next,
    overlapUntil: Date.now() + 60_000
  })
  for (const secret of [host.secret, next]) t.equal((await post(host, plain(secret))).statusCode, 200)
  await host.store.sources.rotateSecret('acme', host.source.id, {
    serverSecret: 'third-secret-0123456789',
    overlapUntil: Date.now() + 100
  })
  await refused(t, host, plain(host.secret), 'INVALID_SIGNATURE')
  t.equal((await post(host, plain(next))).statusCode, 200)
  let status = 200
  for (const end = Date.now() + 60_000; status === 200 && Date.now() < end;) {
    status = (await post(host, plain(next))).statusCode
  }
  t.equal(status, 401, 'the old secret ends with the overlap')
  t.equal((await post(host, plain('third-secret-0123456789'))).statusCode, 200)
})

t.test('a valid signature passes from a foreign origin without CORS headers, and an invalid signature ' +
  'is 401', async (t) => {
  const host = await signedApp(t)
  for (const origin of ['https://evil.test', 'null', SHOP]) {
    const good = await post(host, { origin, ...plain(host.secret) })
    t.equal(good.statusCode, 200)
    t.equal(good.headers['access-control-allow-origin'], undefined)
    const bad = await post(host, { origin, ...plain('wrong') })
    t.equal(bad.statusCode, 401)
    t.equal(bad.headers['access-control-allow-origin'], origin === SHOP ? SHOP : undefined)
  }
  t.equal(
    (await post(host, { origin: 'https://evil.test', ...plain(host.secret) }, { url: '/off' })).statusCode,
    403,
    'an unchecked signature does not count'
  )
})

t.test("the host's function supplies the secrets, and requests are refused if it returns no usable " +
  'secret or throws', async (t) => {
  for (
    const [secrets, status] of [
      [() => ['old', 'own'], 200],
      [() => [Buffer.from('own')], 200],
      [() => ['other'], 401],
      [() => [], 401],
      [() => [''], 401],
      [() => {
        throw new Error('boom')
      }, 500]
    ] as const
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(signature, { secrets, global: true })
    app.post('/x', async ({ body }) => body)
    for (const secret of ['own', '']) {
      const response = await app.inject({
        method: 'POST',
        url: '/x',
        payload: BODY,
        headers: { 'content-type': 'application/json', ...plain(secret) }
      })
      t.equal(response.statusCode, secret === '' && status === 200 ? 401 : status)
    }
    t.equal(
      (await app.inject({ method: 'POST', url: '/x', payload: BODY })).statusCode,
      401,
      'global: true is required'
    )
    t.equal((await app.inject('/nowhere')).statusCode, 401)
  }
})

t.test('a wrong option stops the start with an error that names it', async (t) => {
  const secrets = () => ['x']
  const cases: Array<[options: object, message: RegExp]> = [
    [{}, /^signature: "secrets" is missing/],
    [{ secrets: ['x'] }, /^signature: "secrets" must be a function of the request$/],
    [{ secrets, global: 'yes' }, /^signature: "global" must be true, false, "off", "optional" or "required"; got "yes"$/],
    [{ secrets, tolerance: 0 }, /^signature: "tolerance" must be a whole number of milliseconds, 1 or more; got 0$/],
    [{ secrets, tooLarge: 413 }, /^signature: "tooLarge" must be a function that returns an error$/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(signature, options).ready(), { code: 'INVALID_OPTIONS', message })
  }
})
