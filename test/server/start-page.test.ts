import { setTimeout } from 'node:timers/promises'

import t from 'tap'

import { demoApp } from '../helpers/server-app.js'
import type { DemoApp } from '../helpers/server-app.js'
import { until } from '../helpers/until.js'

const json = { 'content-type': 'application/json' }

/** Opens the start page as a new visitor, and returns the headers of the page's requests. */
async function visitor ({ app }: DemoApp): Promise<{ cookie: string, host: string }> {
  const cookie = String((await app.inject('/')).headers['set-cookie']).split(';')[0] ?? ''
  const headers = { cookie, host: '127.0.0.1:3000' }
  await app.inject({ url: '/demo/page.json', headers })
  return headers
}

t.test('a timeline contains only the requests of its own session', async (t) => {
  const demo = await demoApp(t)
  const [ann, bob] = [await visitor(demo), await visitor(demo)]
  await demo.app.inject({ url: '/api/generate-token', headers: ann })
  await demo.app.inject('/api/generate-token')
  await setTimeout(50)
  const calls = async (headers: object) => {
    return (await demo.app.inject({ url: '/demo/timeline', headers: { ...headers } })).json().calls
  }
  t.match(await calls(ann), [{ topic: 'dxfeed', from: 'browser', to: 'server', path: '/api/generate-token', status: 200 }])
  t.equal((await calls(ann)).length, 1, 'not the request without a session')
  t.same(await calls(bob), [])
})

t.test('a timeline is limited to the newest calls, and hides credentials in paths, headers and refusals', async (t) => {
  const demo = await demoApp(t, { EMBED_RATE_MAX: '0' })
  const ann = await visitor(demo)
  const secret = 'S3cr3t-of-someone-0123456789'
  await Promise.all(Array.from({ length: 160 }, () => demo.app.inject({ url: '/api/generate-token', headers: ann })))
  await demo.app.inject({
    url: `/api/databrain/guest-token?ref=${secret}&unknown=${secret}`,
    headers: { ...ann, authorization: `Bearer ${secret}`, 'x-plugin-token': secret }
  })
  // A call is recorded after its response.
  const read = async () => await demo.app.inject({ url: '/demo/timeline?after=5', headers: ann })
  let reply = await read()
  await until('the refused call is in the timeline', async () => {
    reply = await read()
    return reply.json().calls.at(-1).status === 401
  })
  t.equal(reply.json().calls.length, 150)
  t.match(reply.json().calls.at(-1), {
    status: 401,
    path: '/api/databrain/guest-token?ref=S3cr…&unknown=S3cr…',
    headers: ['Cookie: …', 'Authorization: Bearer S3cr…', 'X-Plugin-Token: S3cr…']
  })
  t.notMatch(reply.body, 'S3cr3t')
})

t.test('the demo routes refuse visitors without a session, other origins and foreign hosts', async (t) => {
  const demo = await demoApp(t)
  const ann = await visitor(demo)
  const routes = [
    { method: 'GET', url: '/demo/timeline' },
    { method: 'POST', url: '/demo/attack', payload: '{"attack":"revoke"}' },
    { method: 'POST', url: '/demo/event', payload: '{"way":"signature","messageId":"m","count":1}' }
  ] as const
  for (const route of routes) {
    for (const [name, status, headers] of [
      ['no session', 401, { host: ann.host }],
      ['a forged session', 401, { ...ann, cookie: `${ann.cookie}x` }],
      ['another site', 403, { ...ann, origin: 'https://evil.example' }],
      ['another port of this machine', 403, { ...ann, origin: 'http://127.0.0.1:4000' }],
      ['an opaque origin', 403, { ...ann, origin: 'null' }],
      ['a request of the same site but another origin', 403, { ...ann, 'sec-fetch-site': 'same-site' }],
      ['a foreign host', 403, { ...ann, host: 'evil.example' }]
    ] as const) {
      const reply = await demo.app.inject({ ...route, headers: { ...json, ...headers } })
      t.equal(reply.statusCode, status, `${route.url}: ${name}`)
    }
  }
  t.equal(await demo.store.revocations.cutoff('default', 'user', 'viewer@example.com'), 0)
  const [first] = (await demo.store.audit.list('default', {}, { limit: 1 })).data
  t.not(first?.action, 'embed.revoked')
})

t.test('with a real product there are no attacks and no signing of events', async (t) => {
  const demo = await demoApp(t, {
    EMBED_USER: 'viewer@example.com', DXFEED_SECRET: 's3cr3t', DXFEED_ISSUER: 'acme', DXFEED_SESSION: 'web'
  })
  const ann = await visitor(demo)
  t.equal((await demo.app.inject({ url: '/demo/page.json', headers: ann })).json().attacks, false)
  t.equal((await demo.app.inject({ url: '/demo/timeline', headers: ann })).statusCode, 200)
  for (const url of ['/demo/attack', '/demo/event']) {
    const reply = await demo.app.inject({ method: 'POST', url, headers: { ...json, ...ann }, payload: '{}' })
    t.equal(reply.statusCode, 404, url)
  }
})

t.test('an expired token of the attack is refused by the routes and opens nothing', async (t) => {
  const demo = await demoApp(t)
  const ann = await visitor(demo)
  const attack = async (name: string) => {
    const payload = { attack: name }
    return (await demo.app.inject({ method: 'POST', url: '/demo/attack', headers: ann, payload })).json()
  }
  const { proxyAuthUrl } = await attack('expired-reference')
  const { pathname, search } = new URL(proxyAuthUrl)
  const headers = { authorization: `Bearer ${demo.secrets.DATABRAIN_PROXY_KEY[0]}` }
  const refused = await demo.app.inject({ url: pathname + search, headers })
  t.equal(refused.statusCode, 401)
  const { token } = await attack('expired-token')
  const ipf = await fetch(demo.products.dxfeed?.paths?.ipfPath ?? '', { headers: { authorization: `Bearer ${token}` } })
  t.equal(ipf.status, 401)
})

t.test('a visitor cannot lift a revocation of an administrator, also not one that followed their own', async (t) => {
  const demo = await demoApp(t)
  const ann = await visitor(demo)
  const attack = async (name: string) => {
    return await demo.app.inject({ method: 'POST', url: '/demo/attack', headers: ann, payload: { attack: name } })
  }
  const subject = (await demo.app.inject({ url: '/demo/page.json', headers: ann })).json().user
  t.equal((await attack('revoke')).statusCode, 200)
  t.equal((await attack('revoke')).statusCode, 200, 'their own again')
  await setTimeout(2)
  const before = Date.now()
  await demo.store.revocations.revoke({ orgId: 'default', kind: 'user', subject, before, createdBy: 'admin-1' })
  await setTimeout(2)
  t.equal((await attack('revoke')).statusCode, 409)
  t.equal((await attack('restore')).statusCode, 409)
  t.equal(await demo.store.revocations.cutoff('default', 'user', subject), before)
})

t.test('after a restart a visitor can lift a revocation that the page set before', async (t) => {
  const demo = await demoApp(t)
  const ann = await visitor(demo)
  const read = async (cookie: typeof ann) => (await demo.app.inject({ url: '/demo/page.json', headers: cookie })).json()
  const { user: subject } = await read(ann)
  await setTimeout(2)
  // The entry that a revocation by the page stores.
  await demo.store.revocations.revoke({ orgId: 'default', kind: 'user', subject, before: Date.now(), createdBy: null })
  t.equal((await read(ann)).revoked, true)
  await setTimeout(2)
  t.equal((await read(await visitor(demo))).revoked, false, 'a later session')
  const payload = { attack: 'restore' }
  t.equal((await demo.app.inject({ method: 'POST', url: '/demo/attack', headers: ann, payload })).statusCode, 200)
  t.equal(await demo.store.revocations.cutoff('default', 'user', subject), 0)
})
