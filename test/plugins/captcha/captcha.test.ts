import Fastify from 'fastify'
import t from 'tap'

import captcha from '../../../plugins/captcha/index.js'
import type { CaptchaOptions } from '../../../plugins/captcha/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { captchaApp, PRODUCT_SECRET, PRODUCTS, SITE, SITE_KEY, siteverifyServer } from '../../helpers/siteverify.js'
import { inTurn } from '../../helpers/stub-upstream.js'

let tokens = 0

for (const product of PRODUCTS) {
  t.test(`${product}: a token passes once, and the request to the product has the documented fields`, async (t) => {
    const siteverify = await siteverifyServer(t, product)
    const { ask } = await captchaApp(t, product, siteverify, product === 'hcaptcha' ? { siteKey: SITE_KEY } : {})
    const token = siteverify.issue('0.a-Good_tok.en')
    t.equal(await ask(token), 'passes')
    t.equal(await ask(token), '403 CAPTCHA_FAILED', 'a second time')
    t.match(siteverify.fields()[0], { secret: PRODUCT_SECRET, response: token })
    const { idempotency_key: repeat, sitekey, remoteip } = siteverify.fields()[0] ?? {}
    t.same([repeat !== undefined, sitekey, remoteip], [product === 'turnstile',
      product === 'hcaptcha' ? SITE_KEY : undefined, undefined])
    t.match(siteverify.calls[0], { method: 'POST', url: '/some/siteverify' })
  })

  t.test(`${product}: a request without a token is 403 without a call, and a forged token is 403 ` +
    'after one call', async (t) => {
    const siteverify = await siteverifyServer(t, product)
    const { app, ask } = await captchaApp(t, product, siteverify)
    siteverify.issue('good')
    for (const token of [undefined, '', 'good, good', 'good good', 'x'.repeat(8_193)]) {
      t.equal(await ask(token), '403 CAPTCHA_FAILED', `${token?.slice(0, 20)}`)
    }
    for (const url of ['/x?captcha=good', '/x?x-captcha-token=good&token=good']) {
      t.equal(await ask(undefined, url), '403 CAPTCHA_FAILED', url)
    }
    const named = {
      url: '/x',
      cookies: { 'x-captcha-token': 'good' },
      payload: { token: 'good', 'cf-turnstile-response': 'good' }
    }
    t.equal((await app.inject({ method: 'POST', ...named })).statusCode, 403)
    t.equal(siteverify.connections(), 0)
    t.equal(await ask('forged'), '403 CAPTCHA_FAILED')
    t.equal(siteverify.calls.length, 1)
    t.equal((await app.inject('/free')).statusCode, 200)
  })

  t.test(`${product}: the host name of the page must be configured`, async (t) => {
    const siteverify = await siteverifyServer(t, product)
    const { ask } = await captchaApp(t, product, siteverify, { hostnames: ['Other.example.com', SITE] })
    for (
      const hostname of ['evil.example.com', 'example.com', `${SITE}.evil.com`, `a.${SITE}`, '', undefined, null, 1, [
        SITE
      ]]
    ) {
      t.equal(await ask(siteverify.issue(`t${tokens++}`, { hostname })), '403 CAPTCHA_FAILED', String(hostname))
    }
    t.equal(await ask(siteverify.issue('good', { hostname: 'OTHER.example.com' })), 'passes')
  })

  t.test(`${product}: a challenge that is too old, in the future or without a time is refused`, async (t) => {
    const siteverify = await siteverifyServer(t, product)
    const { ask } = await captchaApp(t, product, siteverify)
    const at = (ago: number) => new Date(Date.now() - ago).toISOString()
    for (
      const [name, time] of [['old', at(400_000)], ['new', at(-90_000)], ['none', undefined], ['text', 'yesterday'], [
        'number',
        Date.now()
      ]] as const
    ) {
      t.equal(await ask(siteverify.issue(name, { challenge_ts: time })), '403 CAPTCHA_FAILED', name)
    }
    t.equal(await ask(siteverify.issue('four-minutes', { challenge_ts: at(240_000) })), 'passes')
  })
}

t.test("the captcha's action must be the action of the route", async (t) => {
  for (const product of ['turnstile', 'recaptcha'] as const) {
    const siteverify = await siteverifyServer(t, product)
    const { ask } = await captchaApp(t, product, siteverify)
    for (const action of ['signup', 'LOGIN', 'login ', '', undefined, null, ['login']]) {
      t.equal(
        await ask(siteverify.issue(`t${tokens++}`, { action }), '/login'),
        '403 CAPTCHA_FAILED',
        JSON.stringify(action)
      )
    }
    t.equal(await ask(siteverify.issue('good'), '/login'), 'passes')
    t.equal(await ask(siteverify.issue('any', { action: 'signup' })), 'passes', 'a route without an action')
  }
})

t.test('a score below the minimum is refused, and so is a missing score if minScore is set', async (t) => {
  const siteverify = await siteverifyServer(t, 'recaptcha')
  const { ask } = await captchaApp(t, 'recaptcha', siteverify)
  for (const score of [0, 0.49, -1, '0.9', null, {}]) {
    t.equal(await ask(siteverify.issue(`t${tokens++}`, { score })), '403 CAPTCHA_FAILED', String(score))
  }
  t.equal(await ask(siteverify.issue('half', { score: 0.5 })), 'passes')
  t.equal(
    await ask(siteverify.issue('v2', { score: undefined, action: undefined })),
    'passes',
    'version 2 has no scores'
  )
  const strict = await captchaApp(t, 'recaptcha', siteverify, { minScore: 0.8 })
  for (const [token, score] of [['low', 0.79], ['none', undefined]] as const) {
    t.equal(await strict.ask(siteverify.issue(token, { score })), '403 CAPTCHA_FAILED', token)
  }
  t.equal(await strict.ask(siteverify.issue('high', { score: 0.8 })), 'passes')
})

t.test('a token is accepted once, here and on another instance, even if the product accepts it twice', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const { ask, app } = await captchaApp(t, 'turnstile', siteverify)
  siteverify.answer = (call, response) => {
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({ success: true, hostname: SITE, challenge_ts: new Date().toISOString() })
    )
  }
  t.same(
    (await Promise.all(Array.from({ length: 8 }, () => ask('twice')))).sort().slice(0, 7),
    Array(7).fill('403 CAPTCHA_FAILED')
  )
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(tokenStore, { store: { ...app.tokenStore, close: async () => {} } })
  await other.register(captcha, {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url,
    global: true
  })
  other.get('/x', async () => ({}))
  t.equal((await other.inject({ url: '/x', headers: { 'x-captcha-token': 'twice' } })).statusCode, 403)
  t.equal((await other.inject({ url: '/x', headers: { 'x-captcha-token': 'once' } })).statusCode, 200)
})

t.test('Turnstile is called again after a lost call, with the same idempotency key; other products ' +
  'are not', async (t) => {
  for (const product of PRODUCTS) {
    const siteverify = await siteverifyServer(t, product)
    const { ask } = await captchaApp(t, product, siteverify)
    siteverify.issue('good')
    siteverify.answer = inTurn((_call, response) => {
      response.destroy()
    }, siteverify.answer)
    t.equal(await ask('good'), product === 'turnstile' ? 'passes' : '403 CAPTCHA_FAILED', product)
    t.equal(siteverify.calls.length, product === 'turnstile' ? 2 : 1, product)
    if (product === 'turnstile') { t.equal(siteverify.fields()[0]?.idempotency_key, siteverify.fields()[1]?.idempotency_key) } else t.equal(await ask('good'), 'passes', 'the token was not used up')
  }
})

t.test("the client's address is sent to the product if sendAddress is set", async (t) => {
  const siteverify = await siteverifyServer(t, 'hcaptcha')
  const { ask } = await captchaApp(t, 'hcaptcha', siteverify, { sendAddress: true })
  await ask('any')
  t.equal(siteverify.fields()[0]?.remoteip, '127.0.0.1')
})

t.test('neither the secret nor a token is logged, even on errors', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const { ask, log } = await captchaApp(t, 'turnstile', siteverify, { timeout: 300 })
  await ask(siteverify.issue('canary-token-1'))
  await ask('canary-token-1')
  await ask('canary-token-2')
  siteverify.answer = (call, response) => {
    response.end(`{"success":false,"error-codes":["${PRODUCT_SECRET}","canary-token-3"]}`)
  }
  await ask('canary-token-3')
  await siteverify.close()
  await ask('canary-token-4')
  t.ok(log.text().length > 1_000)
  t.notMatch(log.text(), /canary-token|s3cret/)
  t.match(log.text(), 'siteverify refused the token: invalid-input-response')
})

t.test('invalid options stop the start with an error that names them', async (t) => {
  const good: CaptchaOptions = { provider: 'turnstile', secret: 'x', hostnames: [SITE] }
  const bad: Array<[string, object]> = [
    ['provider', { provider: 'other' }],
    ['provider', { provider: undefined }],
    ['secret', { secret: '' }],
    ['secret', { secret: undefined }],
    ['secret', { secret: () => '' }],
    ['hostnames', { hostnames: [] }],
    ['hostnames', { hostnames: undefined }],
    ['hostnames', { hostnames: [`https://${SITE}`] }],
    ['hostnames', { hostnames: SITE }],
    ['siteverifyUrl', { siteverifyUrl: 'http://captcha.example.com/' }],
    ['siteverifyUrl', { siteverifyUrl: '/x' }],
    ['siteverifyUrl', { siteverifyUrl: 'https://a:b@c.de/' }],
    ['siteKey', { siteKey: 'x' }],
    ['minScore', { minScore: 0.5 }],
    ['minScore', { provider: 'recaptcha', minScore: 2 }],
    ['maxAge', { maxAge: 0 }],
    ['timeout', { timeout: 1.5 }],
    ['global', { global: 'yes' }],
    ['global', { global: { action: '' } }],
    ['global', { provider: 'hcaptcha', global: { action: 'x' } }],
    ['field', { field: '' }],
    ['rate-limit', { rateLimit: { max: -1 } }],
    ['sendAddress', { sendAddress: 1 }],
    ['now', { now: 1 }],
    ['maxAge', { maxAge: Number.MAX_SAFE_INTEGER }],
    ['timeout', { timeout: 2 ** 31 }],
    ['globall', { globall: true }],
    ['hmacKey', { hmacKey: 'x' }],
    ['cost', { cost: 5 }]
  ]
  for (const [name, options] of bad) {
    const app = Fastify()
    await app.register(tokenStore)
    const error = await app.register(captcha, { ...good, ...options }).ready().then(
      () => null,
      (error: Error & { code: string }) => error
    )
    t.equal(error?.code, 'INVALID_OPTIONS', JSON.stringify(options))
    t.match(error?.message, name)
    await app.close()
  }
})

t.test('without a token store the app does not start, and the error names tokenStore', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options = { provider: 'turnstile', secret: PRODUCT_SECRET, hostnames: [SITE] } as const
  await t.rejects(
    async () => app.register(captcha, options).ready(),
    /'tokenStore' required by 'gatehouse-captcha' is not present/
  )
})

t.test("the options of Fastify's register are accepted", async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore)
  const own = {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url,
    global: true
  } as const
  await app.register(captcha, { ...own, prefix: '/p', logLevel: 'warn' })
  app.get('/x', async () => ({}))
  siteverify.issue('good')
  const ask = async () => (await app.inject({ url: '/x', headers: { 'x-captcha-token': 'good' } })).statusCode
  t.same([await ask(), await ask()], [200, 403])
})

t.test('an action on a route stops the start if the product has no actions', async (t) => {
  const siteverify = await siteverifyServer(t, 'hcaptcha')
  const { app } = await captchaApp(t, 'hcaptcha', siteverify)
  app.get('/y', { config: { gatehouse: { captcha: { action: 'login' } } } }, async () => ({}))
  await t.rejects(async () => {
    await app.ready()
  }, { code: 'INVALID_OPTIONS', message: /hcaptcha has no actions/ })
})
