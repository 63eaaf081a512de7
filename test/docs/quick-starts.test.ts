import { randomUUID } from 'node:crypto'

import t from 'tap'

import { generateSecret, signBody } from '../../signing/index.js'
import { quickStarts, secretsOf, startQuickStart } from '../helpers/quick-start.js'

const apps = await quickStarts()
/** The app of a page; the test that reads it fails where there is none. */
const codeOf = (path: string) => apps.get(path) ?? ''

t.test('every quick start of a page is short and starts as printed', async (t) => {
  t.ok(apps.size > 20)
  for (const [path, code] of apps) {
    await t.test(path, async (t) => {
      t.ok(code.trimEnd().split('\n').length <= 30)
      const app = await startQuickStart(t, code, secretsOf(code))
      t.equal(app.server.listening, true)
    })
  }
})

t.test('the page of the README has the four properties of DataBrain, and its URL is accepted', async (t) => {
  // No call leaves for the product: its API is a closed port.
  const code = codeOf('README.md').replace('dataAppName:', "apiUrl: 'http://127.0.0.1:1', dataAppName:")
  const secrets = secretsOf(code)
  const app = await startQuickStart(t, code, secrets)
  const page = (await app.inject('/dashboard')).body
  const dbn = JSON.parse(/window\.dbn = (\{.*?\})</.exec(page)?.[1] ?? '{}') as Record<string, string>
  t.match(dbn, {
    baseUrl: 'https://app.usedatabrain.com',
    proxyAuthKey: secrets.DATABRAIN_PROXY_KEY,
    isEnableProxyAuth: true
  })
  const { pathname, search } = new URL(dbn.proxyAuthUrl ?? '')
  const call = (key: string | undefined, query: string) =>
    app.inject({ url: pathname + query, headers: { authorization: `Bearer ${key}` } })
  t.equal((await call(generateSecret(), search)).statusCode, 401, 'a wrong key is refused')
  t.equal((await call(secrets.DATABRAIN_PROXY_KEY, '')).statusCode, 401, 'no user is refused')
  t.equal((await call(secrets.DATABRAIN_PROXY_KEY, search)).statusCode, 500, "the page's own call is let in")
})

t.test('the first administrator of docs/admin-guard.md logs in, and the route of the host accepts the ' +
  'token', async (t) => {
  const secrets = secretsOf(codeOf('docs/admin-guard.md'))
  const app = await startQuickStart(t, codeOf('docs/admin-guard.md'), secrets)
  t.equal((await app.inject('/internal')).statusCode, 401)
  const payload = { email: 'owner@example.com', password: secrets.ADMIN_PASSWORD }
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload })
  const authorization = `Bearer ${login.json<{ access_token: string }>().access_token}`
  t.same((await app.inject({ url: '/internal', headers: { authorization } })).json(), { role: 'owner' })
})

t.test('the administrator of docs/admin-auth.md lists sources', async (t) => {
  const secrets = secretsOf(codeOf('docs/admin-auth.md'))
  const app = await startQuickStart(t, codeOf('docs/admin-auth.md'), secrets)
  const payload = { email: 'owner@example.com', password: secrets.ADMIN_PASSWORD }
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload })
  const authorization = `Bearer ${login.json<{ access_token: string }>().access_token}`
  t.equal((await app.inject({ url: '/v1/admin/sources', headers: { authorization } })).statusCode, 200)
})

t.test('the Bold BI app refuses dashboards without permission, and a query without a dashboard', async (t) => {
  const code = codeOf('docs/embed-authorize.md').replace('https://bi.example.com', 'http://127.0.0.1:1')
  const app = await startQuickStart(t, code, secretsOf(code))
  const authorize = async (query: string) =>
    (await app.inject({
      method: 'POST',
      url: '/authorize',
      payload: {
        dashboardServerApiUrl: 'http://127.0.0.1:1/bi/api/site/site1',
        embedQuerString: `embed_nonce=${randomUUID()}&${query}`
      }
    })).json<{ Message: string }>().Message
  const others = [
    'embed_dashboard_id=other',
    'embed_dashboard_ids=own,other',
    'embed_datasource_id=any',
    'pinboard_name=any',
    'embed_mode=view'
  ]
  for (const query of others) t.equal(await authorize(query), 'This is not allowed', query)
  t.equal(
    await authorize('embed_dashboard_id=own'),
    'The upstream service returned no usable response',
    'past every check of ours'
  )
})

t.test('the guards of the pages refuse a request without credentials', async (t) => {
  const statuses: Array<[path: string, method: 'GET' | 'POST', url: string, status: number, code: string]> = [
    ['docs/proxy-key.md', 'GET', '/internal/report', 401, 'UNAUTHORIZED'],
    ['docs/user-reference.md', 'GET', '/embed', 401, 'UNAUTHORIZED'],
    ['docs/pipeline-key.md', 'GET', '/v1/settings', 401, 'INVALID_PIPELINE_KEY'],
    ['docs/signature.md', 'POST', '/orders', 401, 'SIGNATURE_REQUIRED'],
    ['docs/captcha.md', 'POST', '/signup', 403, 'CAPTCHA_FAILED'],
    ['docs/csrf.md', 'POST', '/transfer', 403, 'CSRF_FAILED'],
    ['docs/error-envelope.md', 'POST', '/orders', 409, 'CONFLICT']
  ]
  for (const [path, method, url, status, code] of statuses) {
    const app = await startQuickStart(t, codeOf(path), secretsOf(codeOf(path)))
    const response = await app.inject({ method, url })
    t.equal(response.statusCode, status, path)
    t.equal(response.json<{ error: { code: string } }>().error.code, code, path)
  }
})

t.test('the guards of the pages accept a request with the right credentials', async (t) => {
  const start = async (path: string) => {
    const secrets = secretsOf(codeOf(path))
    return { app: await startQuickStart(t, codeOf(path), secrets), secrets }
  }
  const keyed = await start('docs/proxy-key.md')
  const authorization = `Bearer ${keyed.secrets.PREVIOUS_PROXY_KEY}`
  t.match((await keyed.app.inject({ url: '/internal/report', headers: { authorization } })).json(), {
    caller: /^[0-9a-f]{8}$/
  })

  const referenced = await start('docs/user-reference.md')
  const { pathname, search } = new URL((await referenced.app.inject('/page')).json<{ url: string }>().url)
  t.same((await referenced.app.inject(pathname + search)).json(), { user: 'customer-42' })

  const signed = await start('docs/signature.md')
  const payload = '{"order":1}'
  const headers = {
    'content-type': 'application/json',
    'x-datafly-signature': signBody(signed.secrets.SERVER_SECRET ?? '', payload)
  }
  t.same((await signed.app.inject({ method: 'POST', url: '/orders', headers, payload })).json(), {
    signed: true,
    bytes: 11
  })

  const revocable = await start('docs/embed-revocation.md')
  t.equal((await revocable.app.inject('/report')).statusCode, 200)
  await revocable.app.tokenStore.revocations.revoke({
    orgId: 'default',
    kind: 'user',
    subject: 'ann',
    before: Date.now() + 60_000,
    createdBy: 'test'
  })
  t.equal((await revocable.app.inject('/report')).statusCode, 403)
})
