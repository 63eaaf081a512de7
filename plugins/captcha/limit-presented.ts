import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'

import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import { CAPTCHA_LIMIT, CHALLENGE_PATH } from './options.js'
import type { CaptchaOptions } from './options.js'

/** Suppresses the rate-limit headers, which belong to the limit of the route. */
const SILENT = {
  'ratelimit-limit': false,
  'ratelimit-remaining': false,
  'ratelimit-reset': false,
  'retry-after': false
}

/**
 * Creates the limit of presented tokens, each of which costs a call to the product or a key derivation; `null` for no
 * limit.
 */
export async function limitPresented (
  app: FastifyInstance,
  options: CaptchaOptions
): Promise<onRequestAsyncHookHandler | null> {
  const limit = named(options.rateLimit ?? CAPTCHA_LIMIT, `captcha-${registrationName(options)}`)
  return limit === false ? null : rateCheck(app, { addHeaders: SILENT, addHeadersOnExceeding: SILENT, ...limit })
}

/**
 * Returns a name of the registration that is equal on all instances, so that registrations have separate shared counts.
 */
function registrationName (options: CaptchaOptions): string {
  if (options.provider === 'altcha') return `altcha-${options.challengePath ?? CHALLENGE_PATH}`
  const { provider, siteKey = '', hostnames } = options
  return [provider, siteKey, ...hostnames.map((name) => name.toLowerCase()).sort()].join('-')
}
