import type { FastifyInstance } from 'fastify'

import { capturePlugin } from '../../lib/capture-plugin.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'

/** The cookies of one request, by name. */
export type Cookies = Record<string, string | undefined>

export interface CsrfTokens {
  /** A token for a session and the cookie that these hold; they get a new one where they hold none, and `keep` is told of it. */
  create (cookies: Cookies, session: string, keep: (value: string) => void): string
  holds (token: string, cookies: Cookies, session: string): boolean
}

export interface CsrfTokenOptions {
  key: string
  cookieName: string
  /** Milliseconds. */
  ttl: number
}

/** What `@fastify/csrf-protection` asks of a request. */
interface Presented { cookies: Cookies, token: string, session: string, log: { debug (): void } }
type Generate = (this: { request: { cookies: Cookies }, setCookie (name: string, value: string): void }, options: { userInfo: string }) => string
type Protect = (request: Presented, reply: { send (): void }, next: () => void) => void

const LOG = { debug () {} }

/** Throws `INVALID_OPTIONS` for a key that won't do. */
export function checkKey (key: string): void {
  try {
    assertStrongSecret('key', key)
  } catch (error) {
    throw new INVALID_OPTIONS(`csrf: ${(error as Error).message}`)
  }
}

/**
 * The tokens of `@fastify/csrf-protection`: HMAC under our key of the session and of a secret in a cookie. Its decorators, which it can give an app
 * once, are taken from it instead, so that it lives beside a host's own registration, needs no cookie plugin, and may be there twice.
 */
export async function csrfTokens (scope: FastifyInstance, plugin: unknown, { key, cookieName, ttl }: CsrfTokenOptions): Promise<CsrfTokens> {
  const { generateCsrf, csrfProtection } = await capturePlugin(scope, plugin, {
    cookieKey: cookieName,
    getToken: ({ token }: Presented) => token,
    getUserInfo: ({ session }: Presented) => session,
    csrfOpts: { hmacKey: key, userInfo: true, validity: ttl },
    logLevel: 'debug'
  }, { name: '@fastify/csrf-protection', decorators: ['generateCsrf', 'csrfProtection'] }) as { generateCsrf: Generate, csrfProtection: Protect }
  return {
    create: (cookies, session, keep) => generateCsrf.call({
      request: { cookies },
      setCookie (name, value) {
        cookies[name] = value
        keep(value)
      }
    }, { userInfo: session }),
    holds (token, cookies, session) {
      let isGood = false
      csrfProtection({ cookies, token, session, log: LOG }, { send () {} }, () => { isGood = true })
      return isGood
    }
  }
}
