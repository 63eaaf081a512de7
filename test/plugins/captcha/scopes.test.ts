import Fastify from 'fastify'
import t from 'tap'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'

import captcha from '../../../plugins/captcha/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { captchaApp, PRODUCT_SECRET, SITE, siteverifyServer } from '../../helpers/siteverify.js'

t.test('registrations in two scopes call separate products and count separately', async (t) => {
  const [a, b] = [await siteverifyServer(t, 'turnstile'), await siteverifyServer(t, 'hcaptcha')]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore)
  await app.register(async (scope) => {
    await scope.register(captcha, {
      provider: 'turnstile',
      secret: PRODUCT_SECRET,
      hostnames: [SITE],
      siteverifyUrl: a.url,
      global: true,
      rateLimit: { max: 2 }
    })
    scope.get('/x', async () => ({}))
  }, { prefix: '/a' })
  await app.register(async (scope) => {
    await scope.register(captcha, {
      provider: 'hcaptcha',
      secret: PRODUCT_SECRET,
      hostnames: [SITE],
      siteverifyUrl: b.url,
      global: true
    })
    scope.get('/x', async () => ({}))
    scope.get('/open', { config: { gatehouse: { captcha: false } } }, async () => ({}))
  }, { prefix: '/b' })
  app.get('/x', async () => ({}))
  const ask = async (url: string, token: string) =>
    (await app.inject({ url, headers: { 'x-captcha-token': token } })).statusCode
  a.issue('of-a')
  b.issue('of-b')
  t.equal(await ask('/a/x', 'of-b'), 403)
  t.equal(await ask('/b/x', 'of-a'), 403)
  t.equal(await ask('/a/x', 'of-a'), 200)
  t.equal(await ask('/b/x', 'of-b'), 200)
  t.equal(await ask('/a/x', 'third'), 429)
  t.equal(await ask('/b/x', 'third'), 403)
  t.same([a.calls.length, b.calls.length], [2, 3])
  t.same([await ask('/x', 'none'), await ask('/b/open', 'none'), await ask('/b/nowhere', 'none')], [200, 200, 404])
})

t.test('with "global" the 404 handler is guarded too, and a CORS preflight passes', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const { app, ask } = await captchaApp(t, 'turnstile', siteverify, { global: { action: 'login' } })
  app.options('/free', async () => ({}))
  t.equal(await ask(undefined, '/nowhere'), '403 CAPTCHA_FAILED')
  t.equal(await ask(siteverify.issue('other', { action: 'other' }), '/free'), '403 CAPTCHA_FAILED')
  t.equal(await ask(siteverify.issue('good'), '/free'), 'passes')
  const preflight = { origin: 'https://a.example.com', 'access-control-request-method': 'GET' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/free', headers: preflight })).statusCode, 200)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/free' })).statusCode, 403, 'not a preflight')
})

t.test('with "field" a token in the body is accepted, in a form and in JSON', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const { app } = await captchaApp(t, 'turnstile', siteverify, { field: 'cf-turnstile-response' })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body))))
  )
  for (const name of ['one', 'two', 'three', 'four', 'five']) siteverify.issue(name)
  const post = async (payload: string | object, headers: Record<string, string> = {}) =>
    (await app.inject({ method: 'POST', url: '/x', payload, headers })).statusCode
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  t.equal(await post('a=1&cf-turnstile-response=one', form), 200)
  t.equal(await post('a=1&cf-turnstile-response=one', form), 403)
  t.equal(await post({ 'cf-turnstile-response': 'two' }), 200)
  t.equal(await post({ a: 1 }, { 'x-captcha-token': 'three' }), 200, 'the header still counts')
  t.equal(await post({ 'cf-turnstile-response': 'four' }, { 'x-captcha-token': 'five' }), 403, 'two different tokens')
  for (
    const payload of [{}, { 'cf-turnstile-response': ['four'] }, { 'cf-turnstile-response': { a: 'four' } }, {
      token: 'four'
    }, ['four']]
  ) t.equal(await post(payload), 403, JSON.stringify(payload))
  t.equal((await app.inject({ method: 'POST', url: '/x' })).statusCode, 403, 'no body at all')
})

t.test("the hidden input of ALTCHA's widget is accepted in a form", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body))))
  )
  await app.register(tokenStore)
  await app.register(captcha, {
    provider: 'altcha',
    hmacKey: generateSecret(),
    cost: 10,
    maxTries: 10,
    field: 'altcha'
  })
  app.post('/signup', { config: { gatehouse: { captcha: { action: 'signup' } } } }, async () => ({}))
  const challenge = (await app.inject('/captcha/challenge?action=signup')).json()
  const solution = await solveChallenge({ challenge, deriveKey })
  const form = new URLSearchParams({
    name: 'ann',
    altcha: Buffer.from(JSON.stringify({ challenge, solution })).toString('base64')
  }).toString()
  const send = async () =>
    (await app.inject({
      method: 'POST',
      url: '/signup',
      payload: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded' }
    })).statusCode
  t.same([await send(), await send()], [200, 403])
})

t.test('the widget token route issues a token only for a solved captcha', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore)
  await app.register(captcha, {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url
  })
  await app.register(widgetToken, {
    secret: 'dx',
    issuer: 'acme',
    session: 'web',
    authorize: () => 'ann',
    cors: { origins: [`https://${SITE}`] },
    guards: { captcha: { action: 'widget' } }
  })
  const ask = (token: string) =>
    app.inject({ url: '/api/generate-token', headers: { origin: `https://${SITE}`, 'x-captcha-token': token } })
  const refused = await ask(siteverify.issue('other'))
  t.equal(refused.statusCode, 403)
  t.equal(refused.json().error.code, 'CAPTCHA_FAILED')
  t.equal(refused.headers['access-control-allow-origin'], `https://${SITE}`, 'the page can read the refusal')
  t.equal(refused.headers['cache-control'], 'no-store')
  const granted = await ask(siteverify.issue('good', { action: 'widget' }))
  t.equal(granted.statusCode, 200)
  t.type(granted.json().token, 'string')
  const preflight = {
    origin: `https://${SITE}`,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'x-captcha-token'
  }
  const answer = await app.inject({ method: 'OPTIONS', url: '/api/generate-token', headers: preflight })
  t.equal(answer.statusCode, 204)
  t.match(answer.headers['access-control-allow-headers'], 'x-captcha-token')
})
