import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import userReference from '../../../plugins/user-reference/index.js'
import type { UserReferenceOptions } from '../../../plugins/user-reference/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { signUserReference } from '../../../signing/user-reference.js'
import { rawRequest } from '../../helpers/raw-socket.js'

const KEY = generateSecret()
const OLD_KEY = generateSecret()
const AUDIENCE = 'gatehouse-embed'

async function guarded (t: Test, options: Partial<UserReferenceOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userReference, { keys: [KEY, OLD_KEY], ...options })
  for (const rule of [true, 'optional', false] as const) {
    app.get(
      `/${rule}`,
      { config: { gatehouse: { userReference: rule } } },
      async ({ userReference }) => ({ sub: userReference?.sub ?? null })
    )
  }
  return app
}

t.test('a reference in the query or in the header sets the user', async (t) => {
  const app = await guarded(t)
  await app.ready()
  const ref = app.userReference.sign({ sub: 'ann', team: 7 })
  t.match(app.userReference.verify(ref), { sub: 'ann', team: 7, aud: AUDIENCE })
  t.same((await app.inject(`/true?ref=${ref}`)).json(), { sub: 'ann' })
  t.same((await app.inject({ url: '/true', headers: { 'x-user-reference': ref } })).json(), { sub: 'ann' })
  t.same((await app.inject({ url: `/true?ref=${ref}`, headers: { 'x-user-reference': ref } })).json(), { sub: 'ann' })
  t.same((await app.inject(`/optional?ref=${ref}`)).json(), { sub: 'ann' })
  t.same((await app.inject(`/false?ref=${ref}`)).json(), { sub: null }, 'an unguarded route ignores it')
})

t.test('different, repeated or empty references in one request are 401', async (t) => {
  const app = await guarded(t)
  await app.ready()
  const [ann, bob] = [app.userReference.sign({ sub: 'ann' }), app.userReference.sign({ sub: 'bob' })]
  for (
    const [url, header] of [[`/true?ref=${ann}`, bob], [`/true?ref=${ann}&ref=${bob}`], [`/true?ref=${ann}&ref=${ann}`],
      [`/true?ref=${ann}`, ''], ['/true?ref=', ann]]
  ) {
    const response = await app.inject({
      url: url ?? '',
      headers: header === undefined ? {} : { 'x-user-reference': header }
    })
    t.equal(response.statusCode, 401, `${url}`)
    t.equal(response.json().error.code, 'UNAUTHORIZED')
  }
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const lines = ['GET /true HTTP/1.1', 'Host: a', 'Connection: close', `X-User-Reference: ${ann}`,
    `X-User-Reference: ${bob}`]
  t.equal((await rawRequest(origin, lines)).statusCode, 401)
})

t.test('a missing reference is 401, or null on an optional route', async (t) => {
  const app = await guarded(t)
  const refused = await app.inject('/true')
  t.equal(refused.statusCode, 401)
  t.equal(refused.json().error.code, 'UNAUTHORIZED')
  t.same((await app.inject('/optional')).json(), { sub: null })
  t.same((await app.inject('/false')).json(), { sub: null })
})

t.test('a plain user id and a foreign, altered, misdirected or expired reference are 401, also on ' +
  'an optional route', async (t) => {
  const app = await guarded(t)
  await app.ready()
  const good = app.userReference.sign({ sub: 'ann' })
  const bad: Record<string, string> = {
    empty: '',
    'a user id': 'ann',
    'another key': signUserReference({ sub: 'ann' }, { key: generateSecret(), audience: AUDIENCE }),
    'another audience': signUserReference({ sub: 'ann' }, { key: KEY, audience: 'password-reset' }),
    over: signUserReference({ sub: 'ann' }, { key: KEY, audience: AUDIENCE, ttl: 1_000, now: Date.now() - 1_001 }),
    altered: `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
    cut: good.slice(0, -5),
    'a replaced payload': good.replace(
      /\.[^.]+\./,
      `.${Buffer.from(JSON.stringify({ sub: 'root', aud: AUDIENCE, iat: 0, exp: 9e15 })).toString('base64url')}.`
    ),
    long: 'v1.'.padEnd(10_000, 'A')
  }
  for (const [name, ref] of Object.entries(bad)) {
    for (const path of ['/true', '/optional']) {
      const response = await app.inject(`${path}?ref=${encodeURIComponent(ref)}`)
      t.equal(response.statusCode, 401, `${name} at ${path}`)
      t.equal(response.json().error.code, 'UNAUTHORIZED')
    }
  }
  t.equal((await app.inject('/true?userId=ann&sub=ann')).statusCode, 401)
})

t.test('a reference under the previous key is valid, and new references are signed with the current key', async (t) => {
  const app = await guarded(t)
  const ref = signUserReference({ sub: 'ann' }, { key: OLD_KEY, audience: AUDIENCE })
  t.same((await app.inject(`/true?ref=${ref}`)).json(), { sub: 'ann' })
  const later = await guarded(t, { keys: [KEY] })
  t.equal((await later.inject(`/true?ref=${ref}`)).statusCode, 401)
  t.equal((await later.inject(`/true?ref=${app.userReference.sign({ sub: 'ann' })}`)).statusCode, 200)
})

t.test('a reference expires after ttl, by the clock of the "now" option', async (t) => {
  let time = 1_700_000_000_000
  const app = await guarded(t, { ttl: 60_000, now: () => time })
  await app.ready()
  const ref = app.userReference.sign({ sub: 'ann' })
  time += 59_999
  t.equal((await app.inject(`/true?ref=${ref}`)).statusCode, 200)
  time += 1
  t.equal((await app.inject(`/true?ref=${ref}`)).statusCode, 401)
})

t.test("two scopes with different keys refuse each other's references", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const scopes: FastifyInstance[] = []
  for (const [prefix, key] of [['/a', KEY], ['/b', OLD_KEY]] as const) {
    await app.register(async (scope) => {
      await scope.register(userReference, { keys: [key], global: true })
      scope.get('/x', async () => ({}))
      scopes.push(scope)
    }, { prefix })
  }
  await app.ready()
  for (const [at, scope] of scopes.entries()) {
    const ref = scope.userReference.sign({ sub: 'ann' })
    t.equal((await app.inject(`/a/x?ref=${ref}`)).statusCode, at === 0 ? 200 : 401)
    t.equal((await app.inject(`/b/x?ref=${ref}`)).statusCode, at === 1 ? 200 : 401)
  }
})

t.test('invalid options stop the start', async (t) => {
  for (
    const options of [
      { keys: [] },
      { keys: undefined },
      { keys: ['short'] },
      { keys: [KEY, 'short'] },
      { keys: [KEY], audience: '' },
      { keys: () => [] },
      { keys: async () => ['short'] },
      { keys: [KEY], secretMaxAge: -1 },
      { keys: [KEY], ttl: 0 },
      { keys: [KEY], ttl: 999 },
      { keys: [KEY], ttl: 1.5 },
      { keys: [KEY], global: 'yes' }
    ]
  ) {
    const app = Fastify()
    await t.rejects(async () => {
      await app.register(userReference, options as UserReferenceOptions).ready()
    }, { code: 'INVALID_OPTIONS', message: /^user-reference: / })
    await app.close()
  }
})
