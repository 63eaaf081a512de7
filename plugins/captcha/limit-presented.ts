import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'

import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import { CAPTCHA_LIMIT, CHALLENGE_PATH } from './options.js'
import type { CaptchaOptions } from './options.js'

/** What it counts is no concern of the route's own headers. */
const SILENT = { 'ratelimit-limit': false, 'ratelimit-remaining': false, 'ratelimit-reset': false, 'retry-after': false }

/** The limit of the tokens that are presented, each of which has the product asked or a key derived; `null`: there is none. */
export async function limitPresented (app: FastifyInstance, options: CaptchaOptions): Promise<onRequestAsyncHookHandler | null> {
  const limit = named(options.rateLimit ?? CAPTCHA_LIMIT, `captcha-${which(options)}`)
  return limit === false ? null : rateCheck(app, { addHeaders: SILENT, addHeadersOnExceeding: SILENT, ...limit })
}

/** What tells one registration from another wherever it runs, so that each counts for itself in what instances share. */
function which (options: CaptchaOptions): string {
  if (options.provider === 'altcha') return `altcha-${options.challengePath ?? CHALLENGE_PATH}`
  const { provider, siteKey = '', hostnames } = options
  return [provider, siteKey, ...hostnames.map((name) => name.toLowerCase()).sort()].join('-')
}
