import CryptoJS from 'crypto-js'
import t from 'tap'
import { Webhook } from 'standardwebhooks'

import { isSignedTemplate } from '../../../signing/webhooks/custom.js'
import { verifyWebhook, webhookKey } from '../../../signing/webhooks/index.js'
import type { CustomSignature } from '../../../signing/webhooks/index.js'
import { vectorText } from '../vectors.js'
import { BODY, CUSTOM, NOW, SECRET, SIGN, URL, delivery, hmac } from './deliveries.js'

const { vector } = JSON.parse(vectorText('hmac/standard_webhooks.json')) as {
  vector: { secret: string, msg_id: string, timestamp: number, payload: string, signature: string }
}

function standard (
  headers: Record<string, string>,
  now = vector.timestamp * 1000,
  body = vector.payload,
  secret = vector.secret
) {
  return verifyWebhook('standard', { method: 'POST', url: '', headers, body: Buffer.from(body), now }, [
    webhookKey('standard', secret)
  ])
}

const published = {
  'webhook-id': vector.msg_id,
  'webhook-timestamp': String(vector.timestamp),
  'webhook-signature': vector.signature
}

t.test('standard: the published vector is valid, also beside signatures of other secrets or ' +
  'an unknown version', async (t) => {
  t.equal(standard(published).valid, true)
  const other = `v1,${Buffer.alloc(32, 1).toString('base64')}`
  const asymmetric = `v1a,${Buffer.alloc(64, 1).toString('base64')}`
  for (
    const list of [`${other} ${vector.signature}`, `${vector.signature} ${other}`, `${asymmetric} ${vector.signature}`]
  ) {
    t.equal(standard({ ...published, 'webhook-signature': list }).valid, true, list)
  }
  const bare = vector.signature.slice('v1,'.length)
  for (
    const list of [other, asymmetric, vector.signature.slice(0, 8), 'v1,', bare, `v2,${bare}`, `V1,${bare}`,
      `v1:${bare}`, `v1,${bare.replace(/=$/, '')}`, `${vector.signature}  `]
  ) {
    t.same(standard({ ...published, 'webhook-signature': list }), { valid: false, reason: 'signature' }, list)
  }
  t.equal(standard({ ...published, 'webhook-timestamp': 'hello' }).valid, false)
  t.same(standard(published, Date.now()), { valid: false, reason: 'timestamp' })
})

t.test('standard: the result equals the result of the reference library, for valid and ' +
  'altered signatures', async (t) => {
  const reference = new Webhook(vector.secret)
  const now = Math.floor(Date.now() / 1000)
  for (let round = 0; round < 300; round++) {
    const body = JSON.stringify({ round, text: 'é🙂'.repeat(round % 7) })
    const time = now + ([0, -290, 290, -400, 400][round % 5] ?? 0)
    const headers = {
      'webhook-id': `msg_${round}`,
      'webhook-timestamp': String(time),
      'webhook-signature': reference.sign(`msg_${round}`, new Date(time * 1000), body)
    }
    if (round % 4 === 1) headers['webhook-id'] += 'x'
    if (round % 4 === 2) {
      headers['webhook-signature'] = `v1,${Buffer.alloc(32, round).toString('base64')} ${headers['webhook-signature']}`
    }
    let theirs = true
    try {
      reference.verify(body, headers)
    } catch {
      theirs = false
    }
    t.equal(standard(headers, Date.now(), body).valid, theirs, JSON.stringify(headers))
  }
})

t.test('hubspot: the test signature of its own SDK is valid', async (t) => {
  const verdict = verifyWebhook('hubspot', {
    method: 'POST',
    url: 'https://www.example.com/webhook_uri',
    body: Buffer.from("{'example_field':'example_value'}"),
    headers: {
      'x-hubspot-signature-v3': 'HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=',
      'x-hubspot-request-timestamp': '15000000'
    },
    now: 15_000_000
  }, [webhookKey('hubspot', 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy')])
  t.equal(verdict.valid, true)
})

t.test('hubspot: only the characters of its documentation are decoded in the URL before it is signed, in ' +
  'either letter case', async (t) => {
  const cases: Array<[sent: string, signed: string]> = [
    ['%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B', ":/?@!$'()*,;"],
    ['%3a%2f%3f%2a%2c%3b', ':/?*,;'],
    ['%20%26%3D%23%25%2B%C3%A9', '%20%26%3D%23%25%2B%C3%A9'],
    ['%253A', '%253A'],
    ['%', '%']
  ]
  for (const [sent, signed] of cases) {
    const headers = {
      'x-hubspot-signature-v3': hmac(SECRET, `POST${URL}&x=${signed}${BODY}${NOW}`, 'base64'),
      'x-hubspot-request-timestamp': String(NOW)
    }
    t.equal(verifyWebhook('hubspot', delivery(headers, { url: `${URL}&x=${sent}` }), [SECRET]).valid, true, sent)
  }
  const headers = SIGN.hubspot()
  for (
    const url of [URL.replace('https', 'http'), `${URL}&`, `${URL}/`, URL.replace('events', 'event'),
      URL.replace('/v1', '/v2')]
  ) {
    t.equal(verifyWebhook('hubspot', delivery(headers, { url }), [SECRET]).valid, false, url)
  }
  t.equal(verifyWebhook('hubspot', delivery(headers, { method: 'PUT' }), [SECRET]).valid, false)
})

t.test('hubspot: the older signatures, which have no timestamp, are refused', async (t) => {
  const { 'x-hubspot-signature-v3': v3 = '', ...rest } = SIGN.hubspot()
  for (const version of ['v1', 'v2', 'v3']) {
    t.equal(
      verifyWebhook(
        'hubspot',
        delivery({ ...rest, 'x-hubspot-signature': v3, 'x-hubspot-signature-version': version }),
        [SECRET]
      ).valid,
      false
    )
  }
})

t.test('stripe: one valid v1 signature of several is enough, and v0 is ignored', async (t) => {
  const time = NOW / 1000
  const good = hmac(SECRET, `${time}.${BODY}`, 'hex')
  const other = '5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'
  const check = (header: string) => verifyWebhook('stripe', delivery({ 'stripe-signature': header }), [SECRET]).valid
  for (
    const header of [`t=${time},v1=${good}`, `t=${time},v1=${other},v1=${good}`, `v1=${good},v0=${other},t=${time}`,
      `t=${time},v1=${good.toUpperCase()}`]
  ) t.equal(check(header), true, header)
  for (
    const header of [
      `t=${time},v1=${other}`,
      `t=${time},v0=${good}`,
      `t=${time}`,
      `v1=${good}`,
      `t=${time},t=${time},v1=${good}`,
      `t=${time + 1},t=${time},v1=${good}`,
      `t=${time}, v1=${good}`,
      `t=${time},v1=${good},`,
      `t=${time};v1=${good}`,
      `T=${time},V1=${good}`,
      `t=${time},v1=${good},v1=`,
      `t=${time},v1=${good},v1=xyz`,
      `t=,v1=${good}`,
      `t=${time}000,v1=${good}`
    ]
  ) t.equal(check(header), false, header)
})

t.test('stripe, shopify: another HMAC implementation creates the same signatures', async (t) => {
  const secret = 'whsec_not-our-library'
  const time = String(NOW / 1000)
  const stripe = CryptoJS.HmacSHA256(`${time}.${BODY}`, secret).toString(CryptoJS.enc.Hex)
  t.equal(
    verifyWebhook('stripe', delivery({ 'stripe-signature': `t=${time},v1=${stripe}` }), [webhookKey('stripe', secret)])
      .valid,
    true
  )
  const shopify = CryptoJS.HmacSHA256(BODY, secret).toString(CryptoJS.enc.Base64)
  t.equal(
    verifyWebhook('shopify', delivery({ 'x-shopify-hmac-sha256': shopify }), [webhookKey('shopify', secret)]).valid,
    true
  )
})

t.test('custom: a signature is valid only with its own encoding, hash, prefix and template', async (t) => {
  const base: CustomSignature = { ...CUSTOM, prefix: '', timestampHeader: null }
  const seconds = String(NOW / 1000)
  const schemes: Array<[CustomSignature, string]> = [
    [base, hmac(SECRET, BODY, 'hex')],
    [{ ...base, encoding: 'base64' }, hmac(SECRET, BODY, 'base64')],
    [{ ...base, hash: 'sha512' }, hmac(SECRET, BODY, 'hex', 'sha512')],
    [{ ...base, prefix: 'sha256=' }, `sha256=${hmac(SECRET, BODY, 'hex')}`],
    [{ ...base, timestampHeader: 'x-time' }, hmac(SECRET, `${seconds}.${BODY}`, 'hex')],
    [{ ...base, timestampHeader: 'x-time', template: 'v0:{timestamp}:{body}!' },
      hmac(SECRET, `v0:${seconds}:${BODY}!`, 'hex')]
  ]
  for (const [at, [custom]] of schemes.entries()) {
    for (const [other, [, value]] of schemes.entries()) {
      const headers = { 'x-acme-signature': value, 'x-time': seconds }
      t.equal(verifyWebhook('custom', delivery(headers), [SECRET], custom).valid, at === other, `${at} ${other}`)
    }
  }
  const milliseconds = { 'x-acme-signature': hmac(SECRET, `${NOW}.${BODY}`, 'hex'), 'x-time': String(NOW) }
  t.equal(
    verifyWebhook('custom', delivery(milliseconds), [SECRET], { ...base, timestampHeader: 'x-time' }).valid,
    true,
    'milliseconds too'
  )
  t.equal(verifyWebhook('custom', delivery(SIGN.custom()), [SECRET]).valid, false, 'settings are required')
  for (
    const text of ['{body}', '{timestamp}', '{body}.{timestamp}', '{timestamp}{timestamp}{body}',
      '{timestamp}.{body}.{body}', '', '{timestamp}.{other}.{body}']
  ) t.notOk(isSignedTemplate(text), text)
})
