import Fastify from 'fastify'
import type { Test } from 'tap'

import captcha from '../../plugins/captcha/index.js'
import type { SiteverifyOptions } from '../../plugins/captcha/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { storeByDefault } from './backend.js'
import { logReader } from './log-reader.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { Answer, StubUpstream } from './stub-upstream.js'

export type Product = 'turnstile' | 'hcaptcha' | 'recaptcha'

export interface Siteverify extends StubUpstream {
  url: string
  /** Lets the product vouch for a token once, with what it says of it beside the defaults. */
  issue(token: string, says?: Record<string, unknown>): string
  /** The form fields of each call, oldest first. */
  fields(): Array<Record<string, string>>
}

export const PRODUCTS: readonly Product[] = ['turnstile', 'hcaptcha', 'recaptcha']
export const PRODUCT_SECRET = 'the-s3cret-of-the-product'
export const SITE = 'shop.example.com'
export const SITE_KEY = '10000000-1111-2222-3333-000000000001'

// Each product's own words for what it refuses.
const USED: Record<Product, string> = {
  turnstile: 'timeout-or-duplicate',
  hcaptcha: 'already-seen-response',
  recaptcha: 'timeout-or-duplicate'
}

/**
 * A product's siteverify as it is documented: form-encoded, each token once, Turnstile's also again under its
 * idempotency key.
 */
export async function siteverifyServer (t: Test, product: Product): Promise<Siteverify> {
  const issued = new Map<string, Record<string, unknown>>()
  const usedBy = new Map<string, string | undefined>()

  const answer: Answer = (call, response) => {
    const fields = formOf(call.body)
    const refuse = (...codes: string[]) => reply({ success: false, 'error-codes': codes, messages: [] })(call, response)
    if (call.method !== 'POST' || call.headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return refuse('bad-request')
    }
    if (fields.secret !== PRODUCT_SECRET) {
      return refuse(fields.secret === undefined ? 'missing-input-secret' : 'invalid-input-secret')
    }
    const { response: token = '', idempotency_key: repeat } = fields
    const says = issued.get(token)
    if (token === '') return refuse('missing-input-response')
    if (says === undefined) return refuse('invalid-input-response')
    if (product === 'hcaptcha' && fields.sitekey !== undefined && fields.sitekey !== SITE_KEY) {
      return refuse('sitekey-secret-mismatch')
    }
    if (usedBy.has(token) && (product !== 'turnstile' || repeat === undefined || usedBy.get(token) !== repeat)) {
      return refuse(USED[product])
    }
    usedBy.set(token, repeat)
    return reply({ ...defaults(product), ...says })(call, response)
  }
  const stub = await stubUpstream(t, answer)
  return Object.assign(stub, {
    url: `${stub.origin}/some/siteverify`,
    issue (token: string, says: Record<string, unknown> = {}) {
      issued.set(token, says)
      return token
    },
    fields: () => stub.calls.map(({ body }) => formOf(body))
  })
}

function defaults (product: Product): Record<string, unknown> {
  const common = { success: true, challenge_ts: new Date().toISOString(), hostname: SITE }
  if (product === 'turnstile') {
    return { ...common, 'error-codes': [], action: 'login', cdata: '', metadata: { interactive: false } }
  }
  if (product === 'hcaptcha') return { ...common, credit: false }
  return { ...common, challenge_ts: common.challenge_ts.replace(/\.\d+Z$/, 'Z'), score: 0.9, action: 'login' }
}

function formOf (body: Buffer): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body.toString()))
}

/** `/x` asks for a captcha, `/login` for one of that action, `/free` for none. */
export async function captchaApp (
  t: Test,
  product: Product,
  siteverify: Siteverify,
  options: Partial<SiteverifyOptions> = {}
) {
  const log = logReader()
  const giveStore = await storeByDefault(t)
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  await giveStore(app)
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  await app.register(captcha, {
    provider: product,
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url,
    ...options
  })
  app.route({
    method: ['GET', 'POST'],
    url: '/x',
    config: { gatehouse: { captcha: true } },
    handler: async () => ({ ok: true })
  })
  if (product !== 'hcaptcha') {
    app.get('/login', { config: { gatehouse: { captcha: { action: 'login' } } } }, async () => ({ ok: true }))
  }
  app.get('/free', async () => ({ ok: true }))
  const ask = async (token?: string, url = '/x') => {
    const response = await app.inject({ url, headers: token === undefined ? {} : { 'x-captcha-token': token } })
    return response.statusCode === 200 ? 'passes' : `${response.statusCode} ${response.json().error.code}`
  }
  return { app, ask, log }
}
