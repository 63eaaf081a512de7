import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { solveChallenge } from 'altcha-lib'
import type { Challenge } from 'altcha-lib'
import type { FastifyInstance } from 'fastify'
import t from 'tap'

import { readConfig } from '../../server/config/index.js'
import { demoApp } from '../helpers/server-app.js'

const TOKEN = '/api/generate-token'

async function outcome (app: FastifyInstance, headers: Record<string, string>, url = TOKEN): Promise<string> {
  const answer = await app.inject({ url, headers })
  return `${answer.statusCode} ${answer.json().error?.code ?? 'fine'}`
}

t.test('with CSRF=on a widget token and an embed require a token of /csrf/token from the same session', async (t) => {
  const { app } = await demoApp(t, { CSRF: 'on' })
  const answer = await app.inject('/csrf/token')
  const cookie = `${answer.cookies[0]?.name}=${answer.cookies[0]?.value}`
  const proof = { cookie, 'x-csrf-token': answer.json().token }
  t.equal(await outcome(app, {}), '403 CSRF_FAILED')
  t.equal(await outcome(app, { cookie }), '403 CSRF_FAILED')
  t.equal(await outcome(app, proof), '200 fine')
  t.equal(await outcome(app, { ...proof, 'sec-fetch-site': 'cross-site' }), '403 CSRF_FAILED')

  const body = { embedQuerString: 'embed_nonce=1', dashboardServerApiUrl: 'http://x' }
  t.equal((await app.inject({ method: 'POST', url: '/authorize', payload: body })).json().error.code, 'CSRF_FAILED')
  t.not(
    (await app.inject({ method: 'POST', url: '/authorize', payload: body, headers: proof })).json().error?.code,
    'CSRF_FAILED'
  )

  const session =
    (await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })).cookies[0]
  t.equal(
    await outcome(app, { ...proof, cookie: `${cookie}; ${session?.name}=${session?.value}` }),
    '403 CSRF_FAILED',
    'another session'
  )
})

t.test('with CAPTCHA=altcha a widget token requires a solved challenge, which is valid once', async (t) => {
  const { app } = await demoApp(t, { CAPTCHA: 'altcha' })
  t.equal(await outcome(app, {}), '403 CAPTCHA_FAILED')
  const challenge: Challenge = (await app.inject('/captcha/challenge?action=widget')).json()
  const solution = await solveChallenge({ challenge, deriveKey })
  const solved = { 'x-captcha-token': Buffer.from(JSON.stringify({ challenge, solution })).toString('base64') }
  t.equal(await outcome(app, solved), '200 fine')
  t.equal(await outcome(app, solved), '403 CAPTCHA_FAILED', 'again')
})

t.test('with REQUIRE_HTTPS=on plain HTTP is refused, except from this machine and for the health routes', async (t) => {
  const { app } = await demoApp(t, { REQUIRE_HTTPS: 'on' })
  const from = async (remoteAddress: string, url: string) => (await app.inject({ url, remoteAddress })).statusCode
  for (const url of [TOKEN, '/', '/v1/admin/auth/me', '/nowhere']) t.equal(await from('203.0.113.5', url), 403, url)
  for (const url of ['/healthz', '/readyz']) t.equal(await from('203.0.113.5', url), 200, url)
  t.equal(await from('127.0.0.1', TOKEN), 200)
  const { app: open } = await demoApp(t)
  t.equal((await open.inject({ url: TOKEN, remoteAddress: '203.0.113.5' })).statusCode, 200, 'off by default')
})

t.test('at most EMBED_CONNECTIONS_MAX requests of one address are in flight on the embedding routes', async (t) => {
  const limited = await demoApp(t, { EMBED_CONNECTIONS_MAX: '2' })
  const statuses = async (app: FastifyInstance) => {
    const answers = await Promise.all(Array.from({ length: 10 }, () =>
      app.inject({
        method: 'POST',
        url: '/authorize',
        payload: { embedQuerString: 'embed_nonce=1', dashboardServerApiUrl: 'http://x' }
      })))
    return answers.filter(({ statusCode }) => statusCode === 429).length
  }
  t.ok(await statuses(limited.app) >= 1)
  const { app: free } = await demoApp(t, { EMBED_CONNECTIONS_MAX: '0' })
  t.equal(await statuses(free), 0)
})

t.test('the error for a missing or wrong captcha setting names the variable', async (t) => {
  const problems = (variables: Record<string, string>) => {
    try {
      readConfig(variables)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  t.match(problems({ CAPTCHA: 'turnstile' }), /CAPTCHA_SECRET is missing[\s\S]*CAPTCHA_HOSTNAMES is missing/)
  t.match(
    problems({ CAPTCHA: 'hcaptcha', CAPTCHA_SECRET: 's', CAPTCHA_HOSTNAMES: 'https://x.test' }),
    /CAPTCHA_HOSTNAMES must be a list of host names/
  )
  t.match(problems({ CAPTCHA: 'altcha', CAPTCHA_SECRET: 'hunter2' }), /CAPTCHA_SECRET has no effect/)
  t.notMatch(problems({ CAPTCHA: 'altcha', CAPTCHA_SECRET: 'hunter2' }), 'hunter2')
  t.match(problems({ CAPTCHA: 'friendly' }), /CAPTCHA must be one of/)
  const real = readConfig({
    CAPTCHA: 'recaptcha',
    CAPTCHA_SECRET: 's',
    EMBED_ORIGINS: 'https://app.example.com,https://b.example.com:8443'
  })
  t.same(real.captcha, { provider: 'recaptcha', secret: 's', hostnames: ['app.example.com', 'b.example.com'] })
})

t.test('with EMBED_ORIGINS set the start page can still send requests', async (t) => {
  const { app } = await demoApp(t, { EMBED_ORIGINS: 'https://partner.example.com' })
  for (
    const [origin, status] of [['http://127.0.0.1:3000', 200], ['https://partner.example.com', 200], [
      'https://evil.test',
      403
    ]] as const
  ) {
    t.equal((await app.inject({ url: TOKEN, headers: { origin } })).statusCode, status, origin)
  }
})
