import { randomUUID } from 'node:crypto'

import type { FastifyInstance } from 'fastify'

import { CAPTCHA_FAILED, GatehouseError, INVALID_OPTIONS } from '../../lib/errors.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import { upstreamClient } from '../../lib/upstream-client/index.js'
import { meteredUpstream } from '../../lib/upstream-client/metered.js'
import { sha256Hex } from '../../signing/digest.js'
import type { SiteverifyOptions } from './options.js'
import { PRODUCTS } from './products.js'
import { CLOCK_SKEW, validateReply, setupErrors } from './siteverify-reply.js'
import type { CaptchaVerifier } from './verifier.js'

/** Creates the verifier that calls the product's siteverify endpoint. Its client is closed with the app. */
export async function siteverify (app: FastifyInstance, options: SiteverifyOptions): Promise<CaptchaVerifier> {
  const { provider, siteKey, minScore, sendAddress = false, maxAge = 300_000, timeout = 5_000, now = Date.now } =
    options
  const product = PRODUCTS[provider]
  const url = new URL(options.siteverifyUrl ?? product.siteverifyUrl)
  const hostnames = new Set(options.hostnames.map((name) => name.toLowerCase()))
  const score = product.hasScores ? { atLeast: minScore ?? 0.5, required: minScore !== undefined } : null
  const secrets = await RotatingSecret.open(options.secret, {
    name: 'captcha: "secret"',
    log: app.log,
    check: (secret) => {
      if (typeof secret !== 'string' || secret === '') {
        throw new INVALID_OPTIONS('captcha: "secret" is missing; copy the secret key from the product\'s dashboard')
      }
      return { secret, isForTests: product.testSecrets.includes(secret) }
    }
  })
  if ((await secrets.get()).isForTests) {
    app.log.warn(
      `captcha: "secret" is the secret that ${provider} publishes for tests; all tokens are accepted repeatedly`
    )
  }
  // A token is valid once, so a call is retried only if the product can distinguish a retry from a second use.
  const client = meteredUpstream(app, 'captcha', upstreamClient({
    origin: url.origin,
    timeout,
    connectTimeout: Math.min(timeout, 2_000),
    retries: product.mayRepeat ? 1 : 0
  }))
  app.addHook('onClose', () => client.close())
  let isFailing = false

  /** Logs a failure once until siteverify works again, because all requests are refused meanwhile. */
  function reportSetup (errors: string[]): void {
    if (errors.length > 0 && !isFailing) {
      app.log.warn(
        { reason: errors.join(', ') },
        'captcha: siteverify fails; requests are refused until it works again'
      )
    }
    isFailing = errors.length > 0
  }

  async function call (fields: Record<string, string>): Promise<Record<string, unknown>> {
    try {
      const { statusCode, body } = await client.call({
        method: 'POST',
        path: url.pathname + url.search,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(fields).toString()
      })
      const answer = statusCode === 200 ? parsed(body) : null
      if (answer !== null) return answer
      throw new CAPTCHA_FAILED({ reason: `siteverify sent an invalid response, status ${statusCode}` })
    } catch (error) {
      const reason = error instanceof GatehouseError && error.reason !== undefined
        ? error.reason
        : 'siteverify could not be called'
      reportSetup([reason])
      throw new CAPTCHA_FAILED({ reason, cause: error })
    }
  }

  return {
    async verify (token, { action, address }) {
      if (token.length > product.maxToken) throw new CAPTCHA_FAILED({ reason: 'the captcha token is too long' })
      const { secret, isForTests } = await secrets.get()
      const answer = await call({
        secret,
        response: token,
        ...siteKey === undefined ? {} : { sitekey: siteKey },
        ...sendAddress && address !== '' ? { remoteip: address } : {},
        ...product.mayRepeat ? { idempotency_key: randomUUID() } : {}
      })
      reportSetup(setupErrors(answer))
      const reason = validateReply(answer, { hostnames, action, score, maxAge, now: now() })
      if (reason !== null) throw new CAPTCHA_FAILED({ reason })
      // After this time the token is refused as too old, by the clock of either machine.
      return { claim: isForTests ? null : `captcha:${provider}:${sha256Hex(token)}`, ttl: maxAge + 2 * CLOCK_SKEW }
    }
  }
}

function parsed (body: Buffer): Record<string, unknown> | null {
  try {
    const answer: unknown = JSON.parse(body.toString())
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
      ? answer as Record<string, unknown>
      : null
  } catch {
    return null
  }
}
