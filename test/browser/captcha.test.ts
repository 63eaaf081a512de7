import { readFile } from 'node:fs/promises'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import type { Page } from 'playwright-core'

import { protectPages } from '../../server/page-headers.js'
import captcha from '../../plugins/captcha/index.js'
import type { AltchaOptions } from '../../plugins/captcha/index.js'
import csrf from '../../plugins/csrf/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { openBrowser } from '../helpers/browser.js'
import { logReader } from '../helpers/log-reader.js'

const ASSETS = new URL('../../web/start-page/', import.meta.url)
const KEYS = { captcha: 'altcha-k3y-0123456789-abcdefghijklmnopq', csrf: 'csrf-k3y-0123456789-abcdefghijklmnopqrst' }

/** Runs in the page and returns the status of each of its requests. */
const VISIT = `
import { solveCaptcha } from '/captcha.js'
window.visit = async (options) => {
  const ask = async (headers = {}) => (await fetch('/guarded', { method: 'POST', headers })).status
  const captcha = await solveCaptcha('/captcha/challenge?action=visit', options)
  const { token } = await (await fetch('/csrf-token')).json()
  const both = { 'x-captcha-token': captcha, 'x-csrf-token': token }
  return { none: await ask(), captchaAlone: await ask({ 'x-captcha-token': captcha }), first: await ask(both), again: await ask(both) }
}
`

/** Serves a page under the demo's strict policy, with a route behind both guards. */
async function site (t: Test, options: Partial<AltchaOptions> = {}): Promise<string> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(tokenStore)
  await app.register(csrf, { key: KEYS.csrf, sessionOf: () => 'ann', tokenPath: '/csrf-token' })
  await app.register(captcha, { provider: 'altcha', hmacKey: KEYS.captcha, ...options })
  await app.register(async (pages) => {
    await protectPages(pages)
    pages.get(
      '/',
      (_request, reply) =>
        reply.type('text/html').send(
          '<!doctype html><title>x</title><link rel="icon" href="data:,"><script type="module" ' +
            'src="/visit.js"></script>'
        )
    )
    pages.get('/visit.js', (_request, reply) => reply.type('text/javascript').send(VISIT))
    pages.get(
      '/captcha.js',
      async (_request, reply) =>
        reply.type('text/javascript').send(await readFile(new URL('captcha.js', ASSETS), 'utf8'))
    )
  })
  // The first request that reaches the captcha guard uses up the captcha token.
  app.post(
    '/guarded',
    { config: { gatehouse: { csrf: true, captcha: { action: 'visit' } } } },
    async () => ({ ok: true })
  )
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function visit (page: Page, origin: string, within = 120_000): Promise<unknown> {
  await page.goto(origin)
  return page.evaluate(`window.visit({ within: ${within} }).catch((error) => error.message)`)
}

t.test('a page under a strict policy solves a challenge of the default difficulty and passes ' +
  'both guards once', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const origin = await site(t)
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (/Content Security|refused to/i.test(message.text())) complaints.push(message.text())
  })
  const began = performance.now()
  t.same(await visit(page, origin), { none: 403, captchaAlone: 403, first: 200, again: 403 })
  t.comment(`solved and used in ${Math.round(performance.now() - began)} ms`)
  t.same(complaints, [])
})

t.test('the page shows the visitor a message if a challenge cannot be loaded or solved in time', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const page = await browser.newPage()
  t.match(await visit(page, await site(t, { cost: 50_000, maxTries: 4_000_000_000 }), 1_000), /not solved in time/)
  t.match(await visit(page, await site(t, { rateLimit: { max: 0, timeWindow: 60_000 } })), /Too many requests/)
})

t.test('a visitor whose clock is wrong by a year or an hour can solve a challenge', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const origin = await site(t)
  for (const off of [31_536_000_000, -3_600_000]) {
    const page = await browser.newPage()
    await page.addInitScript(`{ const now = Date.now; Date.now = () => now() + ${off} }`)
    t.match(await visit(page, origin), { first: 200 }, `${off} ms off`)
  }
})

t.test("requests from a page of another site are refused by the browser's Sec-Fetch-Site header", async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const log = logReader()
  const app = Fastify({ forceCloseConnections: true, logger: { level: 'info', stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(csrf, { key: KEYS.csrf, sessionOf: () => 'ann', tokenPath: '/csrf-token' })
  app.get('/', (_request, reply) => reply.type('text/html').send('<!doctype html><title>x</title>'))
  // Accepts any content type that a page can send without a preflight.
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  app.route({
    method: ['GET', 'POST'],
    url: '/guarded',
    config: { gatehouse: { csrf: true } },
    handler: async () => ({ ok: true })
  })
  const own = await app.listen({ host: '127.0.0.1', port: 0 })
  const other = own.replace('127.0.0.1', 'localhost')
  const page = await browser.newPage()
  const refusals = () => log.lines().flatMap(({ code, reason }) => code === 'CSRF_FAILED' ? [reason] : [])

  await page.goto(own)
  const fromOwn =
    "fetch('/csrf-token').then((a) => a.json()).then(({ token }) => fetch('/guarded', { headers: { 'x-csrf-token': " +
      'token } })).then((a) => a.status)'
  t.equal(await page.evaluate(fromOwn), 200)
  t.same(refusals(), [])
  await page.goto(other)
  t.equal(
    await page.evaluate(`fetch('${own}/csrf-token', { credentials: 'include' }).then(() => 'read', () => 'not read')`),
    'not read'
  )
  await page.evaluate(
    `fetch('${own}/guarded', { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x' }).catch(() => {})`
  )
  await page.evaluate(
    `new Promise((done) => { const image = new Image(); image.onerror = image.onload = done; image.src = '${own}/guarded' })`
  )
  t.same(refusals(), Array(3).fill('the page belongs to another site'))
})

t.test('an open page keeps its token when a link from another site opens a second page', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(csrf, { key: KEYS.csrf, sessionOf: () => 'ann' })
  app.get(
    '/form',
    async (request, reply) =>
      reply.type('text/html').send(`<!doctype html><title>${await app.csrf.token(request, reply)}</title>`)
  )
  app.get(
    '/elsewhere',
    (_request, reply) => reply.type('text/html').send(`<!doctype html><a href="${own}/form">form</a>`)
  )
  app.post('/guarded', { config: { gatehouse: { csrf: true } } }, async () => ({ ok: true }))
  const own = await app.listen({ host: '127.0.0.1', port: 0 })
  const context = await browser.newContext()
  const send = (page: Page) =>
    page.evaluate(
      "fetch('/guarded', { method: 'POST', headers: { 'x-csrf-token': document.title } }).then((a) => a.status)"
    )

  const first = await context.newPage()
  await first.goto(`${own}/form`)
  t.equal(await send(first), 200)
  const second = await context.newPage()
  await second.goto(`${own.replace('127.0.0.1', 'localhost')}/elsewhere`)
  await second.click('a')
  await second.waitForURL(`${own}/form`)
  t.same([await send(second), await send(first)], [200, 200])
})
