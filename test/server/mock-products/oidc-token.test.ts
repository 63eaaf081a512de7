import t from 'tap'

import type { OidcProvider } from '../../../server/mock-products/oidc/index.js'
import { ANN, attempt, CALLBACK, chooseAt, discover, oidcProvider } from '../../helpers/oidc-client.js'
import { Visitor } from '../../helpers/visitor.js'

interface TokenRequest {
  form: Record<string, string>
  headers: Record<string, string>
}

/** Signs Ann in and returns the valid token request for the code. */
async function tokenRequest (provider: OidcProvider, visitor = new Visitor()): Promise<TokenRequest> {
  const tried = await attempt(await discover(provider))
  const { location } = await chooseAt(visitor, { ...tried, url: `${tried.url}&prompt=login` }, ANN)
  const form = {
    grant_type: 'authorization_code',
    code: new URL(location ?? '').searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: tried.verifier,
    client_id: provider.clientId,
    client_secret: provider.clientSecret
  }
  return { form, headers: {} }
}

async function send ({ issuer }: OidcProvider, { form, headers }: TokenRequest): Promise<Response> {
  return fetch(`${issuer}/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
}

function basic (id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

t.test('a wrong token request gets the error of the specification and no token', async (t) => {
  const provider = await oidcProvider(t, { clientSecret: 'secret' })
  const wrong: Array<[name: string, status: number, error: string, change: (request: TokenRequest) => unknown]> = [
    ['a wrong secret', 401, 'invalid_client', ({ form }) => { form['client_secret'] = 'Secret' }],
    ['no secret', 401, 'invalid_client', ({ form }) => delete form['client_secret']],
    ['no client', 401, 'invalid_client', ({ form }) => delete form['client_id']],
    ['another client', 401, 'invalid_client', ({ form }) => { form['client_id'] = 'other' }],
    ['a wrong secret in the header', 401, 'invalid_client', (request) => {
      delete request.form['client_secret']
      request.headers = basic('gatehouse', 'wrong')
    }],
    ['broken encoding in the header', 401, 'invalid_client', (request) => {
      delete request.form['client_secret']
      request.headers = basic('gatehouse', '%zz')
    }],
    ['another scheme in the header', 401, 'invalid_client', (request) => {
      delete request.form['client_secret']
      request.headers = { authorization: 'Bearer secret' }
    }],
    ['two ways to authenticate', 400, 'invalid_request', (request) => {
      request.headers = basic('gatehouse', 'secret')
    }],
    ['two client ids', 400, 'invalid_request', (request) => {
      delete request.form['client_secret']
      request.form['client_id'] = 'other'
      request.headers = basic('gatehouse', 'secret')
    }],
    ['no grant type', 400, 'invalid_request', ({ form }) => delete form['grant_type']],
    ['client credentials', 400, 'unsupported_grant_type', ({ form }) => { form['grant_type'] = 'client_credentials' }],
    ['no code', 400, 'invalid_request', ({ form }) => delete form['code']],
    ['an unknown code', 400, 'invalid_grant', ({ form }) => { form['code'] += 'x' }],
    ['no redirect URI', 400, 'invalid_request', ({ form }) => delete form['redirect_uri']],
    ['another redirect URI', 400, 'invalid_grant', ({ form }) => { form['redirect_uri'] += '/' }],
    ['no verifier', 400, 'invalid_request', ({ form }) => delete form['code_verifier']],
    ['a short verifier', 400, 'invalid_request', ({ form }) => { form['code_verifier'] = 'a'.repeat(42) }],
    ['a wrong verifier', 400, 'invalid_grant', ({ form }) => { form['code_verifier'] += 'a' }],
    ['a body that is no form', 400, 'invalid_request', (request) => {
      request.headers = { 'content-type': 'application/json' }
    }]
  ]
  for (const [name, status, error, change] of wrong) {
    const request = await tokenRequest(provider)
    change(request)
    const response = await send(provider, request)
    t.equal(response.status, status, name)
    t.match(response.headers.get('www-authenticate') ?? '', status === 401 ? /^Basic realm=/ : /^$/, name)
    const body = await response.json() as Record<string, unknown>
    t.equal(body['error'], error, name)
    t.notOk('access_token' in body || 'id_token' in body, name)
  }
  const { form, headers } = await tokenRequest(provider)
  const repeated = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams([...Object.entries(form), ['code', 'x']])
  })
  t.match([repeated.status, await repeated.json()], [400, { error: 'invalid_request' }], 'a repeated parameter')
  const good = await send(provider, { form, headers })
  t.equal(good.status, 200, 'the same request without a fault')
  t.match(good.headers.get('cache-control'), 'no-store')
})

t.test('a code is refused the second time, and its access token then ends', async (t) => {
  const provider = await oidcProvider(t)
  const request = await tokenRequest(provider)
  const { access_token: token } = await (await send(provider, request)).json() as { access_token: string }
  const userinfo = () => fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
  t.equal((await userinfo()).status, 200)
  const replay = await send(provider, request)
  t.match([replay.status, await replay.json()], [400, { error: 'invalid_grant' }])
  const { status, headers } = await userinfo()
  t.equal(status, 401)
  t.match(headers.get('www-authenticate'), 'error="invalid_token"')
})

t.test('of two simultaneous requests with one code, one is refused', async (t) => {
  const provider = await oidcProvider(t)
  const request = await tokenRequest(provider)
  const statuses = (await Promise.all([send(provider, request), send(provider, request)])).map(({ status }) => status)
  t.same(statuses.sort(), [200, 400])
})

t.test('a wrong verifier uses the code up, a wrong secret does not', async (t) => {
  const provider = await oidcProvider(t)
  const request = await tokenRequest(provider)
  const wrong = { ...request, form: { ...request.form, client_secret: 'wrong' } }
  t.equal((await send(provider, wrong)).status, 401)
  t.equal((await send(provider, request)).status, 200)
  const second = await tokenRequest(provider)
  const guess = { ...second, form: { ...second.form, code_verifier: 'a'.repeat(43) } }
  t.equal((await send(provider, guess)).status, 400)
  t.equal((await send(provider, second)).status, 400)
})

t.test('a code works for less than 60 seconds, an access token for less than 300', async (t) => {
  let now = Date.now()
  const provider = await oidcProvider(t, { now: () => now })
  const late = await tokenRequest(provider)
  now += 60_000
  const refused = await send(provider, late)
  t.match([refused.status, await refused.json()], [400, { error: 'invalid_grant' }])
  const inTime = await tokenRequest(provider)
  now += 59_999
  const { access_token: token } = await (await send(provider, inTime)).json() as { access_token: string }
  const userinfo = () => fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
  now += 299_999
  t.equal((await userinfo()).status, 200)
  now += 1
  t.equal((await userinfo()).status, 401)
})

t.test('userinfo accepts an access token in the header alone', async (t) => {
  const provider = await oidcProvider(t)
  const tokens = await send(provider, await tokenRequest(provider))
  const { access_token: token } = await tokens.json() as { access_token: string }
  for (const url of [`${provider.issuer}/userinfo`, `${provider.issuer}/userinfo?access_token=${token}`]) {
    const { status, headers } = await fetch(url)
    t.equal(status, 401)
    t.equal(headers.get('www-authenticate'), 'Bearer')
  }
})
