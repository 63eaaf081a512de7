import { createHmac } from 'node:crypto'

import { exportSPKI } from 'jose'
import t from 'tap'

import { canary } from '../../helpers/canary.js'
import { identityApp, present } from '../../helpers/identity-app.js'
import { AUDIENCE, identityProvider, signingKey } from '../../helpers/identity-provider.js'

const REFUSED = [401, 'UNAUTHORIZED']

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

function claimsFor (issuer: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1_000)
  return { iss: issuer, sub: 'ann', aud: AUDIENCE, iat: now, exp: now + 300 }
}

t.test('a token that is signed with the public key as a shared secret is refused', async (t) => {
  const provider = await identityProvider(t)
  provider.keys = [await signingKey('rsa', 'RS256')]
  const app = await identityApp(t, provider)
  t.same(await present(app, await provider.token()), [200, 'ann'])
  const key = provider.keys[0]
  if (key === undefined) throw new Error('no key')
  const secrets = [await exportSPKI(key.publicKey), JSON.stringify(key.jwk), key.jwk.n ?? '']
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const secret of secrets) {
      const signed = `${encoded({ alg, kid: 'rsa', typ: 'JWT' })}.${encoded(claimsFor(provider.issuer))}`
      const mac = createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url')
      t.same(await present(app, `${signed}.${mac}`), REFUSED, alg)
    }
  }
})

t.test('a token without a signature is refused in every spelling of "none"', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const [, , signature] = (await provider.token()).split('.')
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 5]) {
    const head = encoded({ alg, kid: 'first' })
    for (const last of ['', 'AA', signature]) {
      t.same(await present(app, `${head}.${encoded(claimsFor(provider.issuer))}.${last}`), REFUSED, String(alg))
    }
  }
})

t.test('a valid signature by an algorithm that is not listed is refused without a fetch', async (t) => {
  const provider = await identityProvider(t)
  provider.keys = [await signingKey('a', 'ES256'), await signingKey('b', 'RS256')]
  const app = await identityApp(t, provider, { provider: { algorithms: ['RS256'] } })
  t.same(await present(app, await provider.token()), REFUSED)
  t.equal(provider.upstream.calls.length, 0)
  const [, rsa] = provider.keys
  t.same(await present(app, await provider.token(rsa === undefined ? {} : { key: rsa })), [200, 'ann'])
})

t.test('every listed kind of key is accepted', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  provider.keys = []
  for (const alg of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    provider.keys.push(await signingKey(`key-${alg}`, alg))
  }
  for (const key of provider.keys) {
    t.same(await present(app, await provider.token({ key })), [200, 'ann'], key.alg)
  }
})

t.test('a change of any part of a token is refused', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const token = await provider.token()
  const [head = '', body = '', signature = ''] = token.split('.')
  const bob = encoded({ ...claimsFor(provider.issuer), sub: 'bob' })
  const changed = [
    `${head}.${bob}.${signature}`,
    `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    `${head}.${body}.${'A'.repeat(signature.length)}`,
    `${encoded({ alg: 'ES256', kid: 'first' })}.${body}.${signature}`,
    `${head}.${body}`,
    `${head}.${body}.${signature}.${signature}`,
    `${head}.${body}.${signature}=`,
    ` ${token}`,
    `${token} `,
    token.replaceAll('.', '..')
  ]
  for (const each of changed) t.same(await present(app, each), REFUSED, each.slice(0, 60))
  t.same(await present(app, token), [200, 'ann'])
})

t.test('headers that name a key are ignored, and nothing calls their URL', async (t) => {
  const provider = await identityProvider(t)
  const trap = await canary(t)
  const app = await identityApp(t, provider)
  const attacker = await signingKey('attacker')
  for (const header of [
    { jku: `${trap.origin}/keys` },
    { x5u: `${trap.origin}/certificate` },
    { jwk: attacker.jwk },
    { x5c: ['MIIB'] },
    { jku: `${trap.origin}/keys`, kid: 'first' },
    { jwk: attacker.jwk, kid: 'first' },
    { kid: `${trap.origin}/keys` },
    { kid: '../../../dev/null' },
    { kid: "' OR 1=1 --" }
  ]) {
    t.same(await present(app, await provider.token({ header, key: attacker })), REFUSED, Object.keys(header).join())
  }
  t.equal(trap.connections(), 0)
  t.same(await present(app, await provider.token({ header: { jku: `${trap.origin}/keys` } })), [200, 'ann'])
  t.equal(trap.connections(), 0)
})

t.test('a critical header and an unencoded payload are refused', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  t.same(await present(app, await provider.token({ header: { crit: ['b64'], b64: true } })), REFUSED)
  const [, body = '', signature = ''] = (await provider.token()).split('.')
  for (const extra of [{ crit: ['exp'], exp: 1 }, { crit: [] }, { crit: ['b64'], b64: false }, { crit: 'b64' }]) {
    const head = encoded({ alg: 'ES256', kid: 'first', ...extra })
    t.same(await present(app, `${head}.${body}.${signature}`), REFUSED, JSON.stringify(extra))
  }
})

t.test('a token that repeats a claim or a header is refused, whatever value is the last', async (t) => {
  const provider = await identityProvider(t)
  const key = provider.keys[0]
  if (key === undefined) throw new Error('no key')
  const app = await identityApp(t, provider)
  const claims = JSON.stringify(claimsFor(provider.issuer))
  const header = JSON.stringify({ alg: 'ES256', kid: 'first' })
  const sign = async (head: string, body: string): Promise<string> => {
    const signed = `${encoded(head)}.${encoded(body)}`
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = await crypto.subtle.sign(algorithm, key.privateKey, Buffer.from(signed))
    return `${signed}.${Buffer.from(signature).toString('base64url')}`
  }
  t.same(await present(app, await sign(header, claims)), [200, 'ann'], 'the signature of this test is right')
  for (const more of ['"sub":"bob"', '"su\\u0062":"bob"', '"sub":"ann"', '"aud":["app"]', '"exp":9999999999']) {
    t.same(await present(app, await sign(header, claims.replace('{', `{${more},`))), REFUSED, more)
    t.same(await present(app, await sign(header, claims.replace(/\}$/, `,${more}}`))), REFUSED, more)
  }
  t.same(await present(app, await sign(header.replace('{', '{"alg":"none",'), claims)), REFUSED)
  t.same(await present(app, await sign(header, `[${claims}]`)), REFUSED, 'a list')
  t.same(await present(app, await sign(header, '"ann"')), REFUSED, 'a string')
})

t.test('tokens of another use are refused, though the provider signed them', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/logout+jwt', 'oauth-authz-req+jwt', '']) {
    t.same(await present(app, await provider.token({ header: { typ } })), REFUSED, typ)
  }
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt']) {
    t.same(await present(app, await provider.token({ header: { typ } })), [200, 'ann'], typ)
  }
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  t.same(await present(app, await provider.token({ claims: { events } })), REFUSED, 'a logout token')
  t.same(await present(app, await provider.token({ claims: { cnf: { jkt: 'x' } } })), REFUSED, 'bound to a key')
})

t.test('a huge or deeply nested token is refused before it is verified', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const large = await provider.token({ claims: { groups: Array.from({ length: 200 }, (_, at) => `group-${at}`) } })
  t.same(await present(app, large), [200, 'ann'], 'many groups')
  const calls = provider.upstream.calls.length
  const huge = await provider.token({ claims: { filler: 'x'.repeat(16_384) }, header: { kid: 'unknown' } })
  t.same(await present(app, huge), REFUSED)
  const nested = `${encoded({ alg: 'ES256' })}.${encoded('['.repeat(6_000))}.AA`
  t.same(await present(app, nested), REFUSED)
  const deep = `{"iss":"${provider.issuer}","a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
  t.same(await present(app, `${encoded({ alg: 'ES256', kid: 'first' })}.${encoded(deep)}.AA`), REFUSED)
  t.equal(provider.upstream.calls.length, calls)
})
