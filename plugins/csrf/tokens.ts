import type { FastifyInstance } from 'fastify'

import { capturePlugin } from '../../lib/capture-plugin.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'

/** The cookies of one request, by name. */
export type Cookies = Record<string, string | undefined>

export interface CsrfTokens {
  /**
   * Creates a token for a session and its cookie. Without a cookie it adds one to `cookies` and calls `keep` with it.
   */
  create(cookies: Cookies, session: string, setCookie: (value: string) => void): string
  isValid(token: string, cookies: Cookies, session: string): boolean
}

export interface CsrfTokenOptions {
  key: string
  cookieName: string
  /** Lifetime of a token, in milliseconds. */
  ttl: number
}

/** The properties of a request that `@fastify/csrf-protection` reads. */
interface Presented {
  cookies: Cookies
  token: string
  session: string
  log: { debug(): void }
}
type Generate = (
  this: { request: { cookies: Cookies }, setCookie(name: string, value: string): void },
  options: { userInfo: string }
) => string
type Protect = (request: Presented, reply: { send(): void }, next: () => void) => void

const LOG = { debug () {} }

/** Throws `INVALID_OPTIONS` for a weak key. */
export function checkKey (key: string): void {
  try {
    assertStrongSecret('key', key)
  } catch (error) {
    throw new INVALID_OPTIONS(`csrf: ${(error as Error).message}`)
  }
}

/**
 * Creates and checks the tokens of `@fastify/csrf-protection`: an HMAC of the session and of a secret in a cookie. The
 * plugin's decorators are captured and not added to the app, so that a host may register the plugin too, no cookie
 * plugin is needed, and several registrations are possible.
 */
export async function csrfTokens (
  scope: FastifyInstance,
  plugin: unknown,
  { key, cookieName, ttl }: CsrfTokenOptions
): Promise<CsrfTokens> {
  const { generateCsrf, csrfProtection } = await capturePlugin(scope, plugin, {
    cookieKey: cookieName,
    getToken: ({ token }: Presented) => token,
    getUserInfo: ({ session }: Presented) => session,
    csrfOpts: { hmacKey: key, userInfo: true, validity: ttl },
    logLevel: 'debug'
  }, { name: '@fastify/csrf-protection', decorators: ['generateCsrf', 'csrfProtection'] }) as {
    generateCsrf: Generate
    csrfProtection: Protect
  }
  return {
    create: (cookies, session, setCookie) =>
      generateCsrf.call({
        request: { cookies },
        setCookie (name, value) {
          cookies[name] = value
          setCookie(value)
        }
      }, { userInfo: session }),
    isValid (token, cookies, session) {
      let isValid = false
      csrfProtection({ cookies, token, session, log: LOG }, { send () {} }, () => {
        isValid = true
      })
      return isValid
    }
  }
}
