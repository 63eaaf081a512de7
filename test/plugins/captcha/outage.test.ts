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
  'closes the connection': cut,
  'responds without HTTP': junk,
  'responds with 500': reply(GOOD, 500),
  'responds with 429': reply(GOOD, 429),
  'responds with 201': reply(GOOD, 201),
  'redirects to a valid response': redirect('/good'),
  'responds without JSON': reply('<html>'),
  'responds with half of its JSON': reply(GOOD.slice(0, -1)),
  'responds with a list': reply([{ success: true }]),
  'responds with null': reply('null'),
  'responds with an empty body': reply(''),
  'responds without "success"': reply({}),
  'responds with "success" as a string': reply({ ...JSON.parse(GOOD), success: 'true' }),
  'responds with "success" as a number': reply({ ...JSON.parse(GOOD), success: 1 }),
  'responds with gzip': gzipBomb(1_000),
  'responds without end': flood(50_000_000)
}

for (const [what, answer] of Object.entries(OUTAGES)) {
  t.test(`every request is refused while the product ${what}, and the same token passes afterwards`, async (t) => {
    const siteverify = await siteverifyServer(t, 'turnstile')
    // The time of the responses above.
    const now = () => Date.parse('2026-01-01T00:00:10Z')
    const { ask } = await captchaApp(t, 'turnstile', siteverify, { now })
    const working = siteverify.answer
    siteverify.answer = answer
    t.equal(await ask('good'), '403 CAPTCHA_FAILED')
    siteverify.answer = working
    t.equal(await ask(siteverify.issue('good', JSON.parse(GOOD))), 'passes', 'the token was not used up')
  })
}

t.test('a call to a silent or slow product ends at the timeout, a call to an unreachable product ' +
  'before it', async (t) => {
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
      'the whole outage causes one warning'
    )
  }
})

t.test('with a wrong secret every request is refused, and one warning is logged', async (t) => {
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
  // A secret is read again after 2 s.
  await sleep(2_200)
  t.equal(await ask('good'), 'passes')
})

t.test('while the store is unavailable every request is 503', async (t) => {
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

t.test('the calls to the product are limited per address, and a request without a token does not count', async (t) => {
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

t.test('a test secret that a product publishes causes a warning, and its constant token passes twice', async (t) => {
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
