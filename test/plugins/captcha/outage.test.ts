import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'

import captcha from '../../../plugins/captcha/index.js'
import { UNAVAILABLE } from '../../../lib/errors.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { captchaApp, PRODUCT_SECRET, PRODUCTS, SITE, siteverifyServer } from '../../helpers/siteverify.js'
import { cut, drip, flood, gzipBomb, hang, junk, redirect, reply } from '../../helpers/stub-upstream.js'
import type { Answer } from '../../helpers/stub-upstream.js'

const GOOD = JSON.stringify({
  success: true,
  hostname: SITE,
  challenge_ts: '2026-01-01T00:00:00Z',
  action: 'login',
  score: 1
})

const OUTAGES: Record<string, Answer> = {
  'hangs up': cut,
  'answers no HTTP': junk,
  'answers 500': reply(GOOD, 500),
  'answers 429': reply(GOOD, 429),
  'answers 201': reply(GOOD, 201),
  'redirects to a good answer': redirect('/good'),
  'answers no JSON': reply('<html>'),
  'answers half of its JSON': reply(GOOD.slice(0, -1)),
  'answers a list': reply([{ success: true }]),
  'answers null': reply('null'),
  'answers nothing': reply(''),
  'says neither': reply({}),
  'says "true"': reply({ ...JSON.parse(GOOD), success: 'true' }),
  'says 1': reply({ ...JSON.parse(GOOD), success: 1 }),
  'answers in gzip': gzipBomb(1_000),
  'answers without end': flood(50_000_000)
}

for (const [what, answer] of Object.entries(OUTAGES)) {
  t.test(`while a product ${what}, every request is refused, and it recovers by itself`, async (t) => {
    const siteverify = await siteverifyServer(t, 'turnstile')
    // The clock of the answers above.
    const now = () => Date.parse('2026-01-01T00:00:10Z')
    const { ask } = await captchaApp(t, 'turnstile', siteverify, { now })
    const working = siteverify.answer
    siteverify.answer = answer
    t.equal(await ask('good'), '403 CAPTCHA_FAILED')
    siteverify.answer = working
    t.equal(await ask(siteverify.issue('good', JSON.parse(GOOD))), 'passes', 'the same token may be sent again')
  })
}

t.test('a product that is silent or drips is given up at the time limit, one that is away at once', async (t) => {
  const limit = holdTimers(t, 61_234)
  for (const product of PRODUCTS) {
    const siteverify = await siteverifyServer(t, product)
    const { ask, log } = await captchaApp(t, product, siteverify, { timeout: 61_234 })
    for (const answer of [hang, drip()]) {
      siteverify.answer = answer
      const { length } = siteverify.calls
      const asked = ask('good')
      while (siteverify.calls.length === length) await sleep(10)
      limit.run()
      t.equal(await asked, '403 CAPTCHA_FAILED')
    }
    await siteverify.close()
    t.equal(await ask('good'), '403 CAPTCHA_FAILED')
    t.equal(
      log.lines().filter(({ level }) => level === 40).filter(({ msg }) => /siteverify fails/.test(String(msg))).length,
      1,
      'one warning for the whole outage'
    )
  }
})

t.test('a wrong secret refuses every request and is logged once', async (t) => {
  const siteverify = await siteverifyServer(t, 'recaptcha')
  const { ask, log } = await captchaApp(t, 'recaptcha', siteverify, { secret: 'canary-wrong' })
  siteverify.issue('good')
  for (let times = 0; times < 3; times++) t.equal(await ask('good'), '403 CAPTCHA_FAILED')
  const warnings = log.lines().filter(({ msg }) => /siteverify fails/.test(String(msg)))
  t.match(warnings, [{ level: 40, reason: 'invalid-input-secret' }])
  t.equal(warnings.length, 1)
  t.notMatch(log.text(), 'canary-wrong')
})

t.test('a secret from a function is refreshed, so that it can be rotated', async (t) => {
  const siteverify = await siteverifyServer(t, 'hcaptcha')
  let secret = 'the-one-before'
  const { ask } = await captchaApp(t, 'hcaptcha', siteverify, { secret: () => secret })
  siteverify.issue('good')
  t.equal(await ask('good'), '403 CAPTCHA_FAILED')
  secret = PRODUCT_SECRET
  // The age at which a secret is asked for again, 2 s, and some.
  await sleep(2_200)
  t.equal(await ask('good'), 'passes')
})

t.test('while the store is unavailable every request is 503, so that clients retry', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: { ...memoryStore(), claim: () => Promise.reject(new UNAVAILABLE()) } })
  await app.register(captcha, {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url,
    global: true
  })
  app.get('/x', async () => ({}))
  siteverify.issue('good')
  const response = await app.inject({ url: '/x', headers: { 'x-captcha-token': 'good' } })
  t.equal(response.statusCode, 503)
  t.equal(response.json().error.code, 'UNAVAILABLE')
})

t.test('an address can have the product asked about so many tokens only; what asks nobody does not ' +
  'count', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const { app, ask } = await captchaApp(t, 'turnstile', siteverify, { rateLimit: { max: 3, timeWindow: 60_000 } })
  for (let times = 0; times < 5; times++) await ask()
  for (let times = 0; times < 3; times++) t.equal(await ask('forged'), '403 CAPTCHA_FAILED')
  const response = await app.inject({ url: '/x', headers: { 'x-captcha-token': 'forged' } })
  t.equal(response.statusCode, 429)
  t.equal(response.json().error.code, 'RATE_LIMITED')
  t.ok(Number(response.headers['retry-after']) > 0)
  t.equal(siteverify.calls.length, 3)
  t.equal((await app.inject('/free')).statusCode, 200)
  t.equal(
    (await app.inject({
      url: '/x',
      headers: { 'x-captcha-token': siteverify.issue('good') },
      remoteAddress: '192.0.2.1'
    })).statusCode,
    200,
    'another address'
  )
})

t.test('the secrets that the products publish for tests are warned of, and their constant token passes ' +
  'again', async (t) => {
  const siteverify = await siteverifyServer(t, 'turnstile')
  siteverify.answer = (call, response) =>
    reply({ success: true, hostname: 'example.com', challenge_ts: new Date().toISOString() })(call, response)
  const { ask, log } = await captchaApp(t, 'turnstile', siteverify, {
    secret: '1x0000000000000000000000000000000AA',
    hostnames: ['example.com']
  })
  for (let times = 0; times < 2; times++) t.equal(await ask('XXXX.DUMMY.TOKEN.XXXX'), 'passes')
  t.match(log.text(), /publishes for tests/)
})
