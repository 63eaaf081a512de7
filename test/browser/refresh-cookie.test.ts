import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { PASSWORD, adminApp } from '../helpers/admin.js'
import { openBrowser } from '../helpers/browser.js'

const COOKIE = '__Secure-gatehouse-refresh'
/** Chromium opens connections ahead of requests, which an app without this option waits for when it closes. */
const SERVER = { forceCloseConnections: true }

async function setUp (t: Test, host: string) {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const admin = await adminApp(t, {
    auth: { cookie: true },
    server: SERVER,
    before: async (app) => {
      app.get('/page', (_request, reply) => {
        reply.type('text/html').send('<!doctype html><title>Console</title>')
      })
    }
  })
  await admin.addUser('ann@example.com')
  await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = admin.app.server.address() as { port: number }
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`http://${host}:${port}/page`)
  const post = (path: string, body?: object) =>
    page.evaluate(async ([url, json]) => {
      const headers: Record<string, string> = json === undefined ? {} : { 'Content-Type': 'application/json' }
      const response = await fetch(url ?? '', { method: 'POST', headers, ...json === undefined ? {} : { body: json } })
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : JSON.parse(text) as Record<string, unknown> }
    }, [`/v1/admin/auth/${path}`, body === undefined ? undefined : JSON.stringify(body)])
  return { ...admin, page, context, post, origin: `http://${host}:${port}` }
}

for (const host of ['localhost', '127.0.0.1']) {
  t.test(`Chromium keeps the cookie from http://${host}, sends it only to refresh, and no script ` +
    'reads it', async (t) => {
    const parts = await setUp(t, host)
    if (parts === null) return
    const { post, page, context } = parts
    const login = await post('login', { email: 'ann@example.com', password: PASSWORD })
    t.equal(login.status, 200)
    t.notOk('refresh_token' in (login.body ?? {}))
    const [cookie] = (await context.cookies()).filter(({ name }) => name === COOKIE)
    t.match(cookie, { httpOnly: true, secure: true, sameSite: 'Strict', path: '/v1/admin/auth' })
    t.equal(await page.evaluate('document.cookie'), '')

    const refreshed = await post('refresh')
    t.equal(refreshed.status, 200)
    const [next] = (await context.cookies()).filter(({ name }) => name === COOKIE)
    t.not(next?.value, cookie?.value)
    const me = await page.evaluate(async (token) => {
      return (await fetch('/v1/admin/auth/me', { headers: { Authorization: `Bearer ${token}` } })).status
    }, String(refreshed.body?.['access_token']))
    t.equal(me, 200)

    t.equal((await post('logout')).status, 204)
    t.same((await context.cookies()).filter(({ name }) => name === COOKIE), [])
    t.equal((await post('refresh')).status, 401)
  })
}

t.test('a form of another site neither refreshes nor logs out', async (t) => {
  const parts = await setUp(t, 'localhost')
  if (parts === null) return
  const { post, page, context, origin, store } = parts
  await post('login', { email: 'ann@example.com', password: PASSWORD })
  const before = await context.cookies()
  const evil = Fastify(SERVER)
  t.teardown(() => evil.close())
  evil.get('/', (_request, reply) => {
    reply.type('text/html').send('<!doctype html><form method="post"></form>')
  })
  await evil.listen({ host: '127.0.0.1', port: 0 })
  for (const path of ['refresh', 'logout']) {
    await page.goto(`http://127.0.0.1:${(evil.server.address() as { port: number }).port}/`)
    const [response] = await Promise.all([
      page.waitForResponse((candidate) => candidate.request().method() === 'POST'),
      page.evaluate(`document.forms[0].action = '${origin}/v1/admin/auth/${path}'; document.forms[0].submit()`)
    ])
    t.equal(response.status(), 403, path)
    t.match(await response.json(), { error: { code: 'CSRF_FAILED' } })
  }
  t.same(await context.cookies(), before)
  const user = await store.users.findByEmail('ann@example.com')
  t.equal((await store.sessions.list(user?.id ?? '')).length, 1)
})
