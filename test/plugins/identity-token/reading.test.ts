import t from 'tap'

import { identityApp } from '../../helpers/identity-app.js'
import { identityProvider } from '../../helpers/identity-provider.js'
import { rawRequest } from '../../helpers/raw-socket.js'

t.test('a token in the query, in the body or in another header is not read', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const token = await provider.token()
  for (const request of [
    { url: `/true?token=${token}` },
    { url: `/true?access_token=${token}&id_token=${token}` },
    { url: '/true', method: 'POST' as const, payload: { access_token: token, token } },
    {
      url: '/true',
      method: 'POST' as const,
      payload: `access_token=${token}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' }
    },
    { url: '/true', headers: { 'x-identity-token': token } },
    { url: '/true', headers: { cookie: `__session=${token}` } },
    { url: '/true', headers: { authorization: token } },
    { url: '/true', headers: { authorization: `Basic ${token}` } },
    { url: '/true', headers: { authorization: `Bearer  ${token}` } },
    { url: '/true', headers: { authorization: `Bearer ${token}, Bearer ${token}` } }
  ]) t.equal((await app.inject(request)).statusCode, 401, JSON.stringify(request).slice(0, 60))
  t.equal((await app.inject({ url: '/true', headers: { authorization: `bearer ${token}` } })).statusCode, 200)
})

t.test('a repeated header with tokens is refused', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const token = await provider.token()
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const lines = (...headers: string[]) => ['GET /true HTTP/1.1', 'Host: a', 'Connection: close', ...headers]
  const bearer = `Authorization: Bearer ${token}`
  t.equal((await rawRequest(origin, lines(bearer))).statusCode, 200)
  t.equal((await rawRequest(origin, lines(bearer, 'Authorization: Bearer x'))).statusCode, 401)
  t.equal((await rawRequest(origin, lines('Authorization: Bearer x', bearer))).statusCode, 401)
})

t.test('a named header contains the token alone, and must not contradict the Bearer token', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { header: 'X-Identity-Token' } })
  const [ann, bob] = [await provider.token(), await provider.token({ claims: { sub: 'bob' } })]
  const call = async (headers: Record<string, string>) => {
    const response = await app.inject({ url: '/true', headers })
    return response.statusCode === 200 ? response.json().sub : response.statusCode
  }
  t.equal(await call({ 'x-identity-token': ann }), 'ann')
  t.equal(await call({ 'x-identity-token': `Bearer ${ann}` }), 401)
  t.equal(await call({ 'x-identity-token': ann, authorization: `Bearer ${ann}` }), 'ann')
  t.equal(await call({ 'x-identity-token': ann, authorization: `Bearer ${bob}` }), 401)
  t.equal(await call({ 'x-identity-token': ann, authorization: 'Basic YTpi' }), 'ann')
  t.equal(await call({ 'x-identity-token': '' }), 401)
})

t.test('with "bearer: false" another use of Authorization is not in the way', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { bearer: false, header: 'x-identity-token' } })
  const token = await provider.token()
  const headers = { authorization: 'Bearer an-api-key', 'x-identity-token': token }
  t.equal((await app.inject({ url: '/true', headers })).statusCode, 200)
  t.equal((await app.inject({ url: '/true', headers: { authorization: `Bearer ${token}` } })).statusCode, 401)
})

t.test('a token in the cookie is read, and a header wins over it', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { cookie: { name: '__session' } } })
  const [ann, bob] = [await provider.token(), await provider.token({ claims: { sub: 'bob' } })]
  const call = async (headers: Record<string, string>) => {
    const response = await app.inject({ url: '/true', headers })
    return response.statusCode === 200 ? response.json().sub : response.statusCode
  }
  t.equal(await call({ cookie: `a=b; __session=${ann}; c=d` }), 'ann')
  t.equal(await call({ cookie: `__session=${ann}`, authorization: `Bearer ${bob}` }), 'bob')
  t.equal(await call({ cookie: `__session=${ann}`, authorization: 'Bearer x.y.z' }), 401)
  t.equal(await call({ cookie: `x__session=${ann}` }), 401)
  t.equal(await call({ cookie: `__session=${ann}; __session=${bob}` }), 401, 'another cookie of the same name')
  t.equal(await call({ cookie: `__session=${ann}; __session=${ann}` }), 'ann')
  t.equal(await call({ cookie: '__session=' }), 401)
})

t.test('a write with the cookie must come from a page of the same origin or of a listed one', async (t) => {
  const provider = await identityProvider(t)
  const listed = 'https://app.example.com'
  const app = await identityApp(t, provider, { options: { cookie: { name: '__session', origins: [listed] } } })
  const token = await provider.token()
  const write = async (headers: Record<string, string>, method: 'POST' | 'GET' = 'POST') => {
    const cookie = { host: 'api.example.com', cookie: `__session=${token}` }
    return (await app.inject({ url: '/true', method, headers: { ...cookie, ...headers } })).statusCode
  }
  t.equal(await write({ 'sec-fetch-site': 'same-origin', origin: 'https://api.example.com' }), 200)
  t.equal(await write({ origin: 'https://api.example.com' }), 200)
  t.equal(await write({ 'sec-fetch-site': 'same-site', origin: listed }), 200)
  t.equal(await write({ 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }), 401)
  t.equal(await write({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }), 401)
  t.equal(await write({ origin: 'https://evil.example' }), 401)
  t.equal(await write({ origin: 'null' }), 401)
  t.equal(await write({ 'sec-fetch-site': 'cross-site' }, 'GET'), 200, 'a link to a page')
  t.equal(
    await write({ origin: 'https://evil.example', authorization: `Bearer ${token}` }),
    200,
    'no other page can set this header without CORS'
  )
})

t.test('with "allowSameSite" pages of other origins of the site may write with the cookie', async (t) => {
  const provider = await identityProvider(t)
  const cookie = { name: '__session', allowSameSite: true }
  const app = await identityApp(t, provider, { options: { cookie } })
  const headers = { cookie: `__session=${await provider.token()}`, origin: 'https://blog.example.com' }
  const write = (site: string) => app.inject({ method: 'POST', url: '/true', headers: { ...headers, 'sec-fetch-site': site } })
  t.equal((await write('same-site')).statusCode, 200)
  t.equal((await write('cross-site')).statusCode, 401)
})
