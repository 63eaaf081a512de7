import { createHmac } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { createAdminTokens } from '../../lib/admin-tokens/index.js'
import { SECRET, adminApp, decode, forge } from '../helpers/admin.js'

const VECTORS = new URL('../vectors/jwt/', import.meta.url)
const PREVIOUS = 'Xy3-bN8tKq5_vMd0Rw7Lc2Zp9Hf4Gj6S'

/** An app with one live session, and a function that returns its response to a token. */
async function forger (t: Test) {
  const { app, addUser, login, get, clock } = await adminApp(t)
  await addUser('ann@example.com')
  const { access_token, refresh_token } = await login('ann@example.com')
  const { header, claims } = decode(access_token)
  const answer = async (token: string) => {
    const reply = await get('me', token)
    return reply.statusCode === 200 ? 'ok' : `${reply.statusCode} ${String(reply.json().error?.code)}`
  }
  return { app, access_token, refresh_token, header, claims, answer, clock }
}

t.test('a header other than HS256, typ and a known kid is 401, even with a valid signature', async (t) => {
  const { header, claims, answer } = await forger(t)
  const kid = header['kid']
  t.equal(await answer(forge(header, claims)), 'ok', 'a token of the test is accepted')
  t.equal(await answer(forge({ kid, typ: 'JWT', alg: 'HS256' }, claims)), 'ok', 'in any order')
  t.equal(await answer(forge({ alg: 'HS256' }, claims)), 'ok', 'without a kid')
  const cases: Array<[string, Record<string, unknown> | string, string?]> = [
    ['none', { ...header, alg: 'none' }],
    ['None', { ...header, alg: 'None' }],
    ['NONE', { ...header, alg: 'NONE' }],
    ['empty', { ...header, alg: '' }],
    ['lower case', { ...header, alg: 'hs256' }],
    ['HS384', { ...header, alg: 'HS384' }, 'sha384'],
    ['HS512', { ...header, alg: 'HS512' }, 'sha512'],
    ['RS256 with an HMAC', { ...header, alg: 'RS256' }],
    ['ES256 with an HMAC', { ...header, alg: 'ES256' }],
    ['a list', { ...header, alg: ['HS256'] }],
    ['an object', { ...header, alg: { alg: 'HS256' } }],
    ['no alg', { typ: 'JWT', kid }],
    ['another typ', { ...header, typ: 'at+jwt' }],
    ['a path for the kid', { ...header, kid: '../../../../dev/null' }],
    ['SQL for the kid', { ...header, kid: "' or 1=1 --" }],
    ['an unknown kid', { ...header, kid: '000000000000' }],
    ['a number for the kid', { ...header, kid: 1 }],
    ['the name of a member for the kid', { ...header, kid: '__proto__' }],
    ['jku', { ...header, jku: 'http://127.0.0.1:1/jwks.json' }],
    ['x5u', { ...header, x5u: 'http://127.0.0.1:1/x5u' }],
    ['jwk', { ...header, jwk: { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') } }],
    ['x5c', { ...header, x5c: ['AAAA'] }],
    ['crit', { ...header, crit: ['exp'] }],
    ['an empty crit', { ...header, crit: [] }],
    ['b64', { ...header, b64: false, crit: ['b64'] }],
    ['cty', { ...header, cty: 'JWT' }],
    ['alg twice', `{"alg":"none","alg":"HS256","typ":"JWT","kid":"${String(kid)}"}`],
    ['alg twice, once escaped', `{"al\\u0067":"none","alg":"HS256","kid":"${String(kid)}"}`],
    ['a list for the header', '["HS256"]'],
    ['no JSON', '{"alg":"HS256"'],
    ['null', 'null']
  ]
  for (const [name, forged, hash] of cases) {
    t.equal(await answer(forge(forged, claims, SECRET, hash)), '401 INVALID_TOKEN', name)
  }
})

t.test('claims that are missing, mistyped, repeated or out of bounds are 401', async (t) => {
  const { header, claims, answer } = await forger(t)
  const iat = claims['iat'] as number
  const text = JSON.stringify(claims)
  const cases: Array<[string, Record<string, unknown> | string]> = [
    ...['sub', 'org_id', 'role', 'sid', 'epoch', 'jti', 'type', 'iss', 'aud', 'iat', 'exp'].map((
      name
    ): [string, Record<string, unknown>] => [`no ${name}`, { ...claims, [name]: undefined }]),
    ['type refresh', { ...claims, type: 'refresh' }],
    ['another issuer', { ...claims, iss: 'evil' }],
    ['another audience', { ...claims, aud: 'fastify-gatehouse:other' }],
    ['a list of audiences', { ...claims, aud: ['fastify-gatehouse:admin'] }],
    ['an unknown role', { ...claims, role: 'root' }],
    ['a number for the sub', { ...claims, sub: 1 }],
    ['an empty jti', { ...claims, jti: '' }],
    ['a sid of 300 characters', { ...claims, sid: 'x'.repeat(300) }],
    ['another user', { ...claims, sub: '00000000-0000-4000-8000-000000000000' }],
    ['another organisation', { ...claims, org_id: 'other' }],
    ['another epoch', { ...claims, epoch: 1 }],
    ['a string for the epoch', { ...claims, epoch: '0' }],
    ['a longer lifetime', { ...claims, exp: iat + 901 }],
    ['an endless lifetime', { ...claims, exp: 1e300 }],
    ['exp in milliseconds', { ...claims, exp: iat * 1000 }],
    ['a string for exp', { ...claims, exp: String(iat + 900) }],
    ['half a second in exp', { ...claims, exp: iat + 899.5 }],
    ['exp before iat', { ...claims, exp: iat - 1 }],
    ['null for exp', { ...claims, exp: null }],
    ['iat 31 s ahead', { ...claims, iat: iat + 31, exp: iat + 931 }],
    ['a negative iat', { ...claims, iat: -5, exp: 5 }],
    ['two subs', text.replace('{', '{"sub":"someone else",')],
    ['two subs, one escaped', text.replace('{', '{"s\\u0075b":"someone else",')],
    ['an object among the claims', { ...claims, more: { a: 1 } }],
    ['a list', '[]'],
    ['no JSON', text.slice(1)]
  ]
  for (const [name, forged] of cases) t.equal(await answer(forge(header, forged)), '401 INVALID_TOKEN', name)
  t.equal(await answer(forge(header, { ...claims, iat: iat + 30, exp: iat + 930 })), 'ok', 'iat 30 s ahead')
  t.equal(await answer(forge(header, { ...claims, note: 'a "quoted": text' })), 'ok', 'a further claim')
})

t.test('a token is valid to its last second, expired afterwards, and refused by a clock that ' +
  'is minutes behind', async (t) => {
  const { access_token, claims, answer, clock } = await forger(t)
  const exp = (claims['exp'] as number) * 1000
  const start = clock.now
  for (
    const [now, expected] of [
      [exp - 1000, 'ok'],
      [exp, '401 EXPIRED_TOKEN'],
      [exp + 31_000, '401 EXPIRED_TOKEN'],
      [start - 30_000, 'ok'],
      [start - 360_000, '401 INVALID_TOKEN'],
      [start + 360_000, 'ok']
    ] as const
  ) {
    clock.now = now
    t.equal(await answer(access_token), expected)
  }
})

t.test('published example tokens are 401, unchanged and signed with the secret of the app', async (t) => {
  const { answer } = await forger(t)
  const tokens: string[] = []
  for (const name of readdirSync(new URL('jose_cookbook/', VECTORS))) {
    const { signing, output } = JSON.parse(readFileSync(new URL(`jose_cookbook/${name}`, VECTORS), 'utf8')) as Vector
    const input = signing?.['sig-input']
    if (typeof output?.compact === 'string') tokens.push(output.compact)
    if (typeof input === 'string') {
      tokens.push(`${input}.${String(signing?.['sig'])}`)
      tokens.push(`${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`)
    }
  }
  const { cases } = JSON.parse(readFileSync(new URL('rfc7515_rfc7519_examples.json', VECTORS), 'utf8')) as {
    cases: Array<{ jws: string }>
  }
  for (const { jws } of cases) {
    const input = jws.slice(0, jws.lastIndexOf('.'))
    tokens.push(jws, `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`)
  }
  t.ok(tokens.length >= 12, `${tokens.length} tokens`)
  for (const token of tokens) t.match(await answer(token), /^401 (INVALID_TOKEN|UNAUTHORIZED)$/, token.slice(0, 60))
})

interface Vector {
  signing?: Record<string, unknown>
  output?: { compact?: string }
}

t.test('a signature that is missing, cut, changed or created for other claims is 401', async (t) => {
  const { access_token, header, claims, answer } = await forger(t)
  const [head = '', body = '', signature = ''] = access_token.split('.')
  const cases: Array<[string, string]> = [
    ['none', `${head}.${body}.`],
    ['two parts', `${head}.${body}`],
    ['four parts', `${access_token}.${signature}`],
    ['cut', `${head}.${body}.${signature.slice(0, -2)}`],
    ['one character changed', `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`],
    ['other claims',
      `${head}.${Buffer.from(JSON.stringify({ ...claims, role: 'owner' })).toString('base64url')}.${signature}`],
    ['by no secret', forge(header, claims, '')],
    ['by the kid', forge(header, claims, String(header['kid']))],
    ['by another secret', forge(header, claims, PREVIOUS)],
    ['padded', `${head}=.${body}.${signature}`],
    ['empty parts', '..'],
    ['dots', '.'.repeat(300)]
  ]
  for (const [name, token] of cases) t.equal(await answer(token), '401 INVALID_TOKEN', name)
})

t.test('an accepted token stays subject to all checks, and its claims are separate objects', async (t) => {
  const { access_token, refresh_token, answer, clock } = await forger(t)
  t.same([await answer(access_token), await answer(access_token)], ['ok', 'ok'])
  const tokens = await createAdminTokens(Fastify(), { jwtSecrets: [SECRET], now: () => clock.now })
  for (let times = 0; times < 2; times++) {
    const claims = tokens.verifyAccess(access_token)
    t.not(claims.sid, 'another')
    claims.sid = 'another'
    tokens.verifyRefresh(refresh_token)
    t.throws(() => tokens.verifyAccess(refresh_token), { code: 'INVALID_TOKEN' })
    t.throws(() => tokens.verifyRefresh(access_token), { code: 'INVALID_TOKEN' })
  }
  t.equal(await answer(`${access_token.slice(0, -2)}AA`), '401 INVALID_TOKEN')
  t.equal(await answer(`${access_token}=`), '401 INVALID_TOKEN')
  clock.now += 900_000
  t.equal(await answer(access_token), '401 EXPIRED_TOKEN')
})

t.test('a credential of another kind is not an access token', async (t) => {
  const { refresh_token, claims, answer } = await forger(t)
  const cases: Array<[string, string]> = [
    ['a refresh token', refresh_token],
    ['a guest token', '3f1e1c9e-8a55-4a4e-9c54-0c2f6d0f9d3a'],
    ['a pipeline key', `dk_live_${'a'.repeat(32)}`],
    ['a widget token', 'aXNzdWVyLHNlc3Npb24sLDE3MDAwMDAwMDAwMDAsMTcwMDAwMDAwMDAwMCx0ZXN0.c2lnbmF0dXJl'],
    ['the session id', String(claims['sid'])],
    ['the token id', String(claims['jti'])],
    ['the secret', SECRET]
  ]
  for (const [name, token] of cases) t.equal(await answer(token), '401 INVALID_TOKEN', name)
})

t.test('the first of jwtSecrets signs and all of them verify, and a token of a removed secret is 401', async (t) => {
  const one = await adminApp(t, { auth: { jwtSecrets: [PREVIOUS] } })
  await one.addUser('ann@example.com')
  const old = await one.login('ann@example.com')
  const both = await adminApp(t, { store: one.store, auth: { jwtSecrets: [SECRET, PREVIOUS] } })
  t.equal((await both.get('me', old.access_token)).statusCode, 200)
  const fresh = (await both.refresh(old.refresh_token)).json()
  t.not(decode(fresh.access_token).header['kid'], decode(old.access_token).header['kid'])
  const next = await adminApp(t, { store: one.store, auth: { jwtSecrets: [SECRET] } })
  t.equal((await next.get('me', fresh.access_token)).statusCode, 200)
  t.equal((await next.get('me', old.access_token)).statusCode, 401)
})
