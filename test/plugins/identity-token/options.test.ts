import Fastify from 'fastify'
import t from 'tap'

import identityToken from '../../../plugins/identity-token/index.js'
import { signingKey } from '../../helpers/identity-provider.js'

const provider = { issuer: 'https://idp.example', audience: 'app' }
const { jwk } = await signingKey('first')

async function start (options: object): Promise<string> {
  const app = Fastify()
  try {
    await app.register(identityToken, options as never)
    await app.ready()
    return 'started'
  } catch (error) {
    t.equal((error as { code?: string }).code, 'INVALID_OPTIONS', (error as Error).message)
    return (error as Error).message
  } finally {
    await app.close()
  }
}

const ofProvider = (options: object) => ({ providers: [{ ...provider, ...options }] })

t.test('valid options start without any call', async (t) => {
  for (const options of [
    { providers: [provider] },
    ofProvider({ issuer: 'https://idp.example/', jwksUrl: 'https://keys.example/keys?v=1' }),
    ofProvider({ issuer: 'http://localhost:8080/realms/acme', jwksUrl: 'http://[::1]:8080/keys' }),
    ofProvider({ audience: undefined, authorizedParties: ['web'] }),
    ofProvider({ keys: { keys: [jwk] } }),
    ofProvider({ algorithms: ['RS256'], maxTokenAge: 60_000, requiredClaims: ['org'], expectedClaims: { a: [1, true] } }),
    { providers: [{ ...provider, name: 'a' }, { ...provider, issuer: 'https://b.example', name: 'b' }] },
    { providers: [provider], bearer: false, cookie: { name: '__session', origins: ['https://app.example.com'] } }
  ]) t.equal(await start(options), 'started')
})

const FAULTY: ReadonlyArray<[options: object, message: RegExp]> = [
  [{}, /"providers" must be a non-empty list/],
  [{ providers: [] }, /"providers" must be a non-empty list/],
  [{ providers: provider }, /"providers" must be a non-empty list/],
  [{ providers: [null] }, /"providers\[0\]" must be an object/],
  [{ providers: [provider], provider }, /unknown option "provider"/],
  [ofProvider({ isuer: 'x' }), /unknown option "providers\[0\]\.isuer"; did you mean "providers\[0\]\.issuer"\?/],
  [ofProvider({ issuer: undefined }), /issuer" must be an https URL/],
  [ofProvider({ issuer: 'idp.example' }), /issuer" must be an https URL/],
  [ofProvider({ issuer: 'http://idp.example' }), /issuer" must be an https URL/],
  [ofProvider({ issuer: 'http://127.0.0.1.evil.example' }), /issuer" must be an https URL/],
  [ofProvider({ issuer: 'https://user:pass@idp.example' }), /issuer" must be an https URL/],
  [ofProvider({ issuer: 'https://idp.example?a=b' }), /issuer" must be an https URL/],
  [ofProvider({ audience: undefined }), /audience" must be the client id or the API/],
  [ofProvider({ audience: '' }), /audience" must be a non-empty string/],
  [ofProvider({ audience: [] }), /audience" must be a non-empty string/],
  [ofProvider({ audience: ['app', 5] }), /audience" must be a non-empty string/],
  [ofProvider({ authorizedParties: {} }), /authorizedParties" must be a non-empty string/],
  [ofProvider({ jwksUrl: 'http://keys.example' }), /jwksUrl" must be an https URL/],
  [ofProvider({ jwksUrl: 'data:application/json,{}' }), /jwksUrl" must be an https URL/],
  [ofProvider({ keys: [jwk] }), /keys" must be a JSON Web Key Set/],
  [ofProvider({ keys: { keys: [] } }), /keys" must be a JSON Web Key Set/],
  [ofProvider({ keys: { keys: [{ ...jwk, d: 'x' }] } }), /of public keys/],
  [ofProvider({ keys: { keys: [{ kty: 'oct', k: 'x' }] } }), /of public keys/],
  [ofProvider({ keys: { keys: [jwk] }, jwksUrl: 'https://keys.example' }), /keys" must be left out/],
  [ofProvider({ algorithms: ['HS256'] }), /algorithms" must be a non-empty list of RS256/],
  [ofProvider({ algorithms: ['none'] }), /algorithms" must be a non-empty list of RS256/],
  [ofProvider({ algorithms: [] }), /algorithms" must be a non-empty list of RS256/],
  [ofProvider({ algorithms: 'RS256' }), /algorithms" must be a non-empty list of RS256/],
  [ofProvider({ maxTokenAge: 900 }), /maxTokenAge" must be milliseconds, 1000 to/],
  [ofProvider({ requiredClaims: 'org' }), /requiredClaims" must be a list of claim names/],
  [ofProvider({ expectedClaims: ['org'] }), /expectedClaims" must be an object/],
  [ofProvider({ expectedClaims: { org: null } }), /expectedClaims\.org" must be a string/],
  [ofProvider({ expectedClaims: { org: [] } }), /expectedClaims\.org" must be a string/],
  [ofProvider({ name: 'A:b' }), /name" must be 1 to 32 lower-case letters/],
  [{ providers: [provider, provider] }, /each "issuer" occurs once/],
  [{ providers: [provider, { ...provider, issuer: 'https://b.example' }] }, /must have a different "name"/],
  [{ providers: [{ ...provider, name: 'a' }, { ...provider, issuer: 'https://b.example', name: 'a' }] },
    /must have a different "name"/],
  [{ providers: [provider], bearer: 'yes' }, /"bearer" must be true or false/],
  [{ providers: [provider], bearer: false }, /"bearer" must be true unless/],
  [{ providers: [provider], header: 'Authorization' }, /"header" must be another header/],
  [{ providers: [provider], header: 'x token' }, /"header" must be the name of a header/],
  [{ providers: [provider], cookie: '__session' }, /"cookie" must be an object/],
  [{ providers: [provider], cookie: {} }, /"cookie\.name" must be the name of a cookie/],
  [{ providers: [provider], cookie: { name: 'a', sameSite: 'lax' } }, /unknown option "cookie\.sameSite"/],
  [{ providers: [provider], cookie: { name: 'a', origins: ['app.example'] } }, /"cookie\.origins" must be a list/],
  [{ providers: [provider], cookie: { name: 'a', allowSameSite: 1 } }, /"cookie\.allowSameSite" must be true or false/],
  [{ providers: [provider], global: 'yes' }, /"global" must be true, false or 'optional'/],
  [{ providers: [provider], clockTolerance: 30_001 }, /"clockTolerance" must be a whole number of milliseconds, 0 to/],
  [{ providers: [provider], keysMaxAge: 10 }, /"keysMaxAge" must be a whole number of milliseconds, 1000/],
  [{ providers: [provider], keysMaxAge: 60_000, keysMaxStale: 59_999 }, /"keysMaxStale" must be/],
  [{ providers: [provider], cooldown: 0 }, /"cooldown" must be a whole number of milliseconds, 1000/],
  [{ providers: [provider], timeout: 60_000 }, /"timeout" must be a whole number of milliseconds, 100 to 10000/],
  [{ providers: [provider], now: 5 }, /"now" must be a function/]
]

for (const [options, message] of FAULTY) {
  t.test(`the start fails on ${JSON.stringify(options).slice(0, 90)}`, async (t) => {
    t.match(await start(options), message)
  })
}

t.test('a route cannot name the guard before it is registered, or with another value', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(identityToken, { providers: [provider] })
  app.get('/', { config: { gatehouse: { identityToken: 'required' as never } } }, async () => 1)
  await t.rejects(async () => await app.ready(), { message: /identityToken must be true, false or 'optional'/ })
})
