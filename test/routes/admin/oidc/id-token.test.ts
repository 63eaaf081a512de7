import { createHmac } from 'node:crypto'

import { exportSPKI, SignJWT } from 'jose'
import t from 'tap'

import { hostileOidc, unsigned } from '../../../helpers/hostile-oidc.js'
import type { HostileOidc } from '../../../helpers/hostile-oidc.js'
import { signingKey } from '../../../helpers/identity-provider.js'
import { oidcLogin, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import { canary } from '../../../helpers/canary.js'

const now = Math.floor(Date.now() / 1_000)
const other = await signingKey('first', 'RS256')
const unknown = await signingKey('unknown', 'RS256')
const elliptic = await signingKey('first', 'ES256')

/** What makes a valid ID token invalid, and what the audit entry says about it. */
const INVALID: Array<[title: string, detail: RegExp, change: (provider: HostileOidc) => void]> = [
  ['is of another issuer', /"iss"/, ({ claims }) => { claims['iss'] = 'https://other.example' }],
  ['is of the issuer with a slash', /"iss"/, (p) => { p.claims['iss'] = `${p.issuer}/` }],
  ['is for another client', /"aud"/, ({ claims }) => { claims['aud'] = 'other' }],
  ['has no audience', /"aud"/, ({ claims }) => { claims['aud'] = undefined }],
  ['has two audiences and no azp', /"aud"/, ({ claims }) => { claims['aud'] = ['gate', 'other'] }],
  ['has two audiences and the azp of another client', /"azp"/, ({ claims }) => {
    Object.assign(claims, { aud: ['gate', 'other'], azp: 'other' })
  }],
  ['has the azp of another client', /\(azp\)/, ({ claims }) => { claims['azp'] = 'other' }],
  ['has another nonce', /"nonce"/, ({ claims }) => { claims['nonce'] = 'other' }],
  ['has no nonce', /"nonce"/, ({ claims }) => { claims['nonce'] = undefined }],
  ['has expired', /"exp"/, ({ claims }) => { claims['exp'] = now - 31 }],
  ['never expires', /"exp"/, ({ claims }) => { claims['exp'] = undefined }],
  ['is not valid yet', /"nbf"/, ({ claims }) => { claims['nbf'] = now + 120 }],
  ['was issued in the future', /\(iat\)/, ({ claims }) => { claims['iat'] = now + 120 }],
  ['does not say when it was issued', /"iat"/, ({ claims }) => { claims['iat'] = undefined }],
  ['has no subject', /"sub"/, ({ claims }) => { claims['sub'] = undefined }],
  ['has a number as the subject', /"sub"/, ({ claims }) => { claims['sub'] = 1 }],
  ['has an empty subject', /\(sub\)/, ({ claims }) => { claims['sub'] = '' }],
  ['has a subject of 256 characters', /\(sub\)/, ({ claims }) => { claims['sub'] = 's'.repeat(256) }],
  ['has the hash of another access token', /at_hash/, ({ claims }) => { claims['at_hash'] = 'AAAAAAAAAAAAAAAAAAAAAA' }],
  ['is not signed', /alg/, (p) => { p.forge = ({ claims, header }) => unsigned({ ...header, alg: 'none' }, claims) }],
  ['is signed with the public key as an HMAC secret', /alg/, (p) => {
    p.forge = async ({ claims, header }) => {
      const input = unsigned({ ...header, alg: 'HS256' }, claims).replace(/\.$/, '')
      const pem = await exportSPKI(p.keys[0]?.publicKey as never)
      return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
    }
  }],
  ['is signed with the client secret', /alg/, (p) => {
    p.forge = async ({ claims }) => await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from('first-client-secret-of-this-test'))
  }],
  ['has a valid signature by an algorithm that is not pinned', /alg/, (p) => {
    p.keys = [elliptic]
  }],
  ['is signed with another key of the same id', /signature/, (p) => {
    p.forge = async ({ claims }) => await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'first' })
      .sign(other.privateKey)
  }],
  ['is signed with a key that the provider does not publish', /no applicable key/, (p) => {
    p.forge = async ({ claims }) => await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'unknown' })
      .sign(unknown.privateKey)
  }],
  ['names its own key in the header', /signature|applicable/, (p) => {
    p.forge = async ({ claims }) => await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'first', jwk: other.jwk, x5c: ['MIIB'] }).sign(other.privateKey)
  }],
  ['has other claims than those that were signed', /signature/, (p) => {
    p.forge = ({ claims, header, token }) => unsigned(header, { ...claims, email: 'owner@example.com' }, token.split('.')[2])
  }],
  ['has no signature', /signature|JWS|JWT/i, (p) => { p.forge = ({ token }) => token.split('.').slice(0, 2).join('.') + '.' }],
  ['has a critical header', /crit/, ({ header }) => { Object.assign(header, { crit: ['b64'], b64: true }) }],
  ['is missing', /id_token/, ({ tokens }) => { tokens['id_token'] = undefined }],
  ['is no JWT', /JWT/, ({ tokens }) => { tokens['id_token'] = 'a.b' }]
]

for (const [title, detail, change] of INVALID) {
  t.test(`a login fails if the ID token ${title}`, async (t) => {
    const provider = await hostileOidc(t)
    const login = await oidcLogin(t, { issuer: provider.issuer })
    await login.addUser('ann@example.com')
    await tokensOf(login, provider.respond)
    change(provider)
    const jar = { cookie: '' }
    const { error, entry } = await login.refused(t, await login.callback(jar, provider.respond(await login.start(jar))))
    t.equal(error, 'invalid_response')
    t.match(entry.changes, { reason: 'invalid_response', detail })
    const token = String(provider.tokens['id_token'] ?? 'eyJ')
    t.notOk(login.log.text().includes(token), 'no token in the log')
  })
}

t.test('an ID token is accepted with the edges of the clock tolerance, and with azp and at_hash', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  // SHA-256 of the access token, its left half.
  Object.assign(provider.claims, {
    aud: ['gate', 'other'],
    azp: 'gate',
    at_hash: 'vN4Ld2prbBMp6mprpz5nTA',
    iat: Math.floor(Date.now() / 1_000) + 20,
    exp: Math.floor(Date.now() / 1_000) - 20
  })
  const { createHash } = await import('node:crypto')
  provider.claims['at_hash'] = createHash('sha256').update('an-access-token').digest().subarray(0, 16)
    .toString('base64url')
  t.ok((await tokensOf(login, provider.respond)).access_token)
})

t.test('PS256, ES256 and EdDSA are accepted where the settings name them', async (t) => {
  for (const algorithm of ['PS256', 'ES256', 'EdDSA'] as const) {
    const provider = await hostileOidc(t)
    provider.keys = [await signingKey('first', algorithm)]
    const login = await oidcLogin(t, {
      issuer: provider.issuer,
      settings: { id_token_signed_response_alg: algorithm }
    })
    t.ok((await tokensOf(login, provider.respond)).access_token, algorithm)
  }
})

t.test('URLs of keys in the header of an ID token are not called', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const trap = await canary(t)
  Object.assign(provider.header, { jku: `${trap.origin}/keys`, x5u: `${trap.origin}/certificate` })
  const jar = { cookie: '' }
  await login.callback(jar, provider.respond(await login.start(jar)))
  t.equal(trap.connections(), 0)
})

t.test('the tenant and the hosted domain must be those of the settings', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, {
    issuer: provider.issuer,
    settings: { tenant: 'tenant-1', hosted_domain: 'example.com' }
  })
  const attempt = async (claims: object) => {
    provider.claims = { ...claims }
    const jar = { cookie: '' }
    const url = await login.start(jar)
    t.equal(new URL(url).searchParams.get('hd'), 'example.com')
    return login.callback(jar, provider.respond(url))
  }
  for (const claims of [{ tid: 'tenant-2', hd: 'example.com' }, { tid: 'tenant-1', hd: 'other.com' }, {},
    { tid: ['tenant-1'], hd: 'example.com' }]) {
    t.equal((await login.refused(t, await attempt(claims))).error, 'invalid_response')
  }
  t.ok(valueOf(await attempt({ tid: 'tenant-1', hd: 'example.com' }), 'sso'))
})
