import t from 'tap'

import {
  WEBHOOK_PROVIDERS, generateWebhookId, generateWebhookSecret, isWebhookId, verifyWebhook,
  webhookKey
} from '../../../signing/webhooks/index.js'
import type { WebhookProvider } from '../../../signing/webhooks/index.js'
import { BODY, CUSTOM, NOW, SECRET, SIGN, SIGNATURE_HEADERS, delivery } from './deliveries.js'

const HEX: readonly WebhookProvider[] = ['stripe', 'custom']
const TIMED: readonly WebhookProvider[] = ['stripe', 'hubspot', 'standard', 'custom']

for (const provider of WEBHOOK_PROVIDERS) {
  const check = (headers: Record<string, string>, more = {}, secrets = [SECRET]) =>
    verifyWebhook(provider, delivery(headers, more), secrets, CUSTOM)
  const invalid = { valid: false, reason: 'signature' }

  t.test(`${provider}: a signature is valid over the raw bytes, and not over the serialised JSON`, async (t) => {
    const verdict = check(SIGN[provider]())
    t.match(verdict, { valid: true, signature: Buffer })
    t.same(
      check(SIGN[provider](), { body: Buffer.from(JSON.stringify(JSON.parse(BODY))) }),
      invalid,
      '1.0 became 1'
    )
    t.same(check(SIGN[provider](), { body: Buffer.from(`${BODY}\n`) }), invalid)
    t.same(check(SIGN[provider](), { body: Buffer.alloc(0) }), invalid)
    t.match(
      check(SIGN[provider]({ body: '' }), { body: Buffer.alloc(0) }),
      { valid: true },
      'a signed body can be empty'
    )
  })

  t.test(`${provider}: no flipped bit of the body or the signature is accepted`, async (t) => {
    const headers = SIGN[provider]()
    let accepted = 0
    for (let bit = 0; bit < BODY.length * 8; bit++) {
      const body = Buffer.from(BODY)
      body[bit >> 3] = (body[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (check(headers, { body }).valid) accepted++
    }
    const name = SIGNATURE_HEADERS[provider]
    const value = headers[name] ?? ''
    for (let at = 0; at < value.length; at++) {
      for (let bit = 0; bit < 7; bit++) {
        const flipped = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit))
        // A digit of hex has two spellings.
        if (
          HEX.includes(provider) && at >= 'sha256='.length && /[a-f]/i.test(flipped) &&
          flipped.toLowerCase() === value[at]
        ) continue
        if (check({ ...headers, [name]: value.slice(0, at) + flipped + value.slice(at + 1) }).valid) accepted++
      }
    }
    t.equal(accepted, 0)
  })

  t.test(`${provider}: a missing, empty, cut, padded, doubled or foreign header is refused`, async (t) => {
    const headers = SIGN[provider]()
    for (const name of Object.keys(headers)) {
      const { [name]: value = '', ...rest } = headers
      t.same(check(rest), invalid, `no ${name}`)
      for (
        const wrong of ['', ' ', value.slice(0, -1), value.slice(0, 8), `${value} `, ` ${value}`, `${value},`,
          `${value}, ${value}`, `${value},${value}`, 'x', 'null']
      ) {
        if (wrong !== value) t.same(check({ ...headers, [name]: wrong }), invalid, `${name}: ${JSON.stringify(wrong)}`)
      }
      t.same(
        verifyWebhook(
          provider,
          { ...delivery(headers), headers: { ...headers, [name]: [value, value] } },
          [SECRET],
          CUSTOM
        ),
        invalid,
        'a list'
      )
    }
    t.same(check({}), invalid)
    for (const other of WEBHOOK_PROVIDERS) {
      if (other !== provider) t.same(check(SIGN[other]()), invalid, `the headers of ${other}`)
    }
  })

  t.test(`${provider}: a signature of any valid secret is accepted, and of another or an ` +
    'empty secret refused', async (t) => {
    const other = Buffer.from('another secret of the provider')
    t.equal(check(SIGN[provider](), {}, [other, SECRET]).valid, true)
    t.equal(check(SIGN[provider]({ secret: other }), {}, [other, SECRET]).valid, true)
    t.same(check(SIGN[provider](), {}, [other]), invalid)
    t.same(check(SIGN[provider](), {}, []), invalid)
    t.same(check(SIGN[provider]({ secret: Buffer.alloc(0) }), {}, [Buffer.alloc(0)]), invalid)
  })
}

t.test('a signed timestamp is accepted up to five minutes off on either side, and not a second more', async (t) => {
  for (const provider of TIMED) {
    const at = (seconds: number, tolerance?: number) => {
      return verifyWebhook(
        provider,
        delivery(SIGN[provider]({ at: NOW + seconds * 1000 }), { tolerance }),
        [SECRET],
        CUSTOM
      )
    }
    for (const seconds of [-300, -299, 0, 299, 300]) t.equal(at(seconds).valid, true, `${provider} ${seconds}`)
    for (const seconds of [-301, 301, -86_400, 86_400]) {
      t.same(at(seconds), { valid: false, reason: 'timestamp' }, `${provider} ${seconds}`)
    }
    t.equal(at(-10, 9_000).valid, false)
    t.equal(at(-10, 10_000).valid, true)
  }
})

t.test('a stale timestamp is reported only for a valid signature', async (t) => {
  for (const provider of TIMED) {
    const stale = SIGN[provider]({ at: NOW - 3_600_000, secret: Buffer.from('a guess') })
    t.same(verifyWebhook(provider, delivery(stale), [SECRET], CUSTOM), { valid: false, reason: 'signature' }, provider)
  }
})

t.test('a timestamp in another unit, form or notation is refused', async (t) => {
  for (const provider of TIMED) {
    for (const time of ['0', '-1', '1e9', '0x10', '1.5', ' 1', '01', '９', 'now', '99999999999999999999']) {
      const headers = Object.fromEntries(
        Object.entries(SIGN[provider]()).map(([name, value]) => {
          return [name, /time/.test(name) ? time : value.replace(/t=\d+/, `t=${time}`)]
        })
      )
      t.equal(verifyWebhook(provider, delivery(headers), [SECRET], CUSTOM).valid, false, `${provider} ${time}`)
    }
  }
  const milliseconds = SIGN.hubspot({ at: NOW / 1000 })
  t.same(
    verifyWebhook('hubspot', delivery(milliseconds), [SECRET]),
    { valid: false, reason: 'timestamp' },
    'seconds for milliseconds'
  )
})

t.test('a secret is read in the form of its provider, and an invalid form is an error', async (t) => {
  t.same(webhookKey('stripe', 'whsec_abc'), Buffer.from('whsec_abc'), 'Stripe signs with the prefix included')
  t.same(webhookKey('standard', 'whsec_YWJj'), Buffer.from('abc'))
  t.same(webhookKey('standard', 'YWJj'), Buffer.from('abc'))
  t.same(webhookKey('standard', 'whsec_YWI'), Buffer.from('ab'), 'padding is optional')
  t.same(webhookKey('custom', 'hex:00ff'), Buffer.from([0, 255]))
  for (const provider of WEBHOOK_PROVIDERS) t.throws(() => webhookKey(provider, ''), TypeError, provider)
  for (const text of ['whsec_', 'whsec_***', 'whsec_YWJj YWJj', 'whsec_YWJ_', 'whsec_YR==']) {
    t.throws(() => webhookKey('standard', text), TypeError, text)
  }
  t.throws(() => webhookKey('stripe', 'a\ud800'), TypeError)
  for (const provider of WEBHOOK_PROVIDERS) {
    const secret = generateWebhookSecret(provider)
    if (provider === 'standard' || provider === 'custom') { t.equal(webhookKey(provider, secret ?? '').length, provider === 'standard' ? 32 : 43) } else t.equal(secret, null, `${provider} creates its own`)
  }
})

t.test('an id is wh_ and 24 random letters and digits', async (t) => {
  const ids = new Set(Array.from({ length: 1_000 }, generateWebhookId))
  t.equal(ids.size, 1_000)
  for (const id of ids) if (!isWebhookId(id)) t.fail(id)
  const [id = ''] = ids
  for (
    const other of [undefined, null, 1, [id], '', 'wh_', `${id}x`, `${id}\n`, ` ${id}`, id.slice(0, -1),
      id.replace('wh_', 'wk_'), id.replace(/.$/, '-')]
  ) t.notOk(isWebhookId(other))
})
