import t from 'tap'
import type { Test } from 'tap'

import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const CUSTOM = { header: 'x-acme-signature' }
const GOOD: Array<[provider: string, secret: string]> = [
  ['stripe', 'whsec_0123456789abcdef'],
  ['stripe', `whsec_${'0123456789abcdef'.repeat(4)}`],
  ['shopify', 'shpss_0123456789abcdef0123456789abcdef'],
  ['shopify', '0123456789abcdef0123456789abcdef'],
  ['shopify', '0123456789abcdef'.repeat(4)],
  ['hubspot', '01234567-89ab-4cde-8f01-23456789abcd'],
  ['standard', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  ['standard', 'C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  ['custom', 'two words of a secret'],
  ['custom', 'hex:00ff00ff'],
  ['custom', 'base64:AP8A/w==']
]

async function sourceOf (t: Test) {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const path = `/sources/${id}/webhooks`
  const create = async (provider: string, secret: string) =>
    owner.send('POST', path, { provider, secret, ...provider === 'custom' ? { custom: CUSTOM } : {} })
  return { owner, path, create }
}

t.test('a secret in the form of its provider is accepted', async (t) => {
  const { create } = await sourceOf(t)
  for (const [provider, secret] of GOOD) {
    t.equal((await create(provider, secret)).statusCode, 201, `${provider} ${secret}`)
  }
})

t.test('a secret with white space, quotes or invisible characters from copy and paste is 400 with the ' +
  'reason', async (t) => {
  const { owner, path, create } = await sourceOf(t)
  for (const [provider, secret] of GOOD.filter(([, secret]) => !secret.includes(' '))) {
    const white = [`${secret}\n`, `${secret}\r\n`, ` ${secret}`, `${secret}\t`, `${secret}\u00a0`,
      `${secret.slice(0, 9)}\n${secret.slice(9)}`]
    for (const pasted of white) {
      const reply = await create(provider, pasted)
      t.equal(reply.statusCode, 400, JSON.stringify(pasted))
      t.match(reply.json().error, {
        code: 'INVALID_REQUEST',
        details: [{ path: '/secret', message: /space|line end/ }]
      })
      t.notOk(reply.body.includes(secret), 'the secret is not repeated')
    }
    if (provider === 'custom') continue
    for (const pasted of [`"${secret}"`, `'${secret}'`, `\`${secret}\``, `\u201c${secret}\u201d`]) {
      t.match((await create(provider, pasted)).json().error?.details, [{ path: '/secret', message: /quotes/ }], pasted)
    }
    t.match((await create(provider, `${secret}\u200b`)).json().error?.details, [{ path: '/secret', message: /ASCII/ }])
  }
  t.same((await owner.get(path)).json().data, [])
})

t.test('a secret of another kind is 400 with a message that names the kind, at creation and at rotation', async (t) => {
  const { owner, path, create } = await sourceOf(t)
  const others: Array<[provider: string, secret: string, message: RegExp]> = [
    ['stripe', 'sk_live_0123456789abcdef', /an API key.*whsec_/],
    ['stripe', 'sk_test_0123456789abcdef', /an API key/],
    ['stripe', 'rk_live_0123456789abcdef', /an API key/],
    ['stripe', 'pk_live_0123456789abcdef', /a publishable key/],
    ['stripe', 'we_1MpKa2', /id of an endpoint/],
    ['stripe', 'whsec_', /whsec_/],
    ['stripe', '0123456789abcdef0123456789abcdef', /begins with whsec_/],
    ['stripe', 'STRIPE_SECRET=whsec_0123456789', /begins with whsec_/],
    ['shopify', 'shpat_0123456789abcdef0123456789abcdef', /an access token/],
    ['shopify', 'shpca_0123456789abcdef0123456789abcdef', /an access token/],
    ['shopify', 'whsec_0123456789', /Stripe/],
    ['hubspot', 'pat-na1-01234567-89ab-4cde-8f01-23456789abcd', /an access token/],
    ['hubspot', 'whsec_0123456789', /Stripe/],
    ['standard', 'whpk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', /public key/],
    ['standard', 'whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', /private key/],
    ['standard', 'sk_live_0123456789abcdef', /Stripe/],
    ['standard', 'whsec_not-base64', /base64/]
  ]
  for (const [provider, secret, message] of others) {
    const reply = await create(provider, secret)
    t.equal(reply.statusCode, 400, secret)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/secret', message }] }, secret)
    if (secret.length > 8) t.notOk(reply.body.includes(secret.slice(6)))
  }
  const { id } = (await create('stripe', 'whsec_0123456789abcdef')).json()
  const rotated = await owner.send('POST', `${path}/${String(id)}/rotate-secret`, {
    secret: 'sk_live_0123456789abcdef',
    overlap_seconds: 0
  })
  t.equal(rotated.statusCode, 400)
  t.match(rotated.json().error.details, [{ path: '/secret', message: /an API key/ }])
})
