import { randomBytes } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { TokenStore } from '../../../contracts/token-store/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import type { SsoProvider, SsoTransaction } from './protocol.js'

/** Milliseconds in which a person logs in at the provider. */
export const TRANSACTION_TTL = 900_000
const PREFIX = '__Host-gatehouse-sso-'
const BINDING = '__Host-gatehouse-sso'
const STATE_BYTES = 24
/** Logins that a browser may have open at once, in several tabs. */
const MAX_OPEN = 5
const CONTEXT = 'sso transaction'

interface Content {
  state: string
  provider: string
  returnTo: string | null
  data: Record<string, string>
  /** Epoch milliseconds. */
  exp: number
}

interface TransactionParts {
  box: SecretBox
  claim: TokenStore['claim']
  now: () => number
}

/**
 * Keeps logins between their start and the provider's response in sealed cookies, one per login. Only the browser that
 * started a login can finish it, once.
 */
export function ssoTransactions ({ box, claim, now }: TransactionParts) {
  return {
    newState: () => randomBytes(STATE_BYTES).toString('base64url'),

    /** Stores a login in a cookie. */
    begin (
      request: FastifyRequest,
      reply: FastifyReply,
      { provider, state, returnTo, data }: SsoTransaction & { state: string }
    ): void {
      const open = Object.keys(cookiesOf(request)).filter((name) => name.startsWith(PREFIX))
      if (open.length >= MAX_OPEN) for (const name of open) setCookie(reply, { name, value: '', kind: provider.kind })
      const exp = now() + TRANSACTION_TTL
      const content: Content = { state, provider: provider.id, returnTo, data: { ...data }, exp }
      const value = box.seal(JSON.stringify(content), CONTEXT)
      setCookie(reply, { name: nameOf(state), value, kind: provider.kind, maxAge: TRANSACTION_TTL / 1000 })
    },

    /** Returns the login of a state and uses it up; `null` if there is none. */
    async take (
      request: FastifyRequest,
      reply: FastifyReply,
      { provider, state }: { provider: SsoProvider, state: string }
    ): Promise<SsoTransaction | null> {
      const name = nameOf(state)
      const value = cookiesOf(request)[name]
      if (value === undefined) return null
      setCookie(reply, { name, value: '', kind: provider.kind })
      const content = open(value)
      if (content === null || content.state !== state || content.provider !== provider.id || content.exp <= now()) {
        return null
      }
      if (!await claim(`sso state ${state}`, TRANSACTION_TTL)) return null
      return { provider, returnTo: content.returnTo, data: content.data }
    },

    /** Binds the code of a finished login to the browser; returns what its exchange has to repeat. */
    bind (reply: FastifyReply): string {
      const value = randomBytes(STATE_BYTES).toString('base64url')
      reply.header('Set-Cookie', cookie({ name: BINDING, value, sameSite: 'strict', maxAge: TRANSACTION_TTL / 1000 }))
      return sha256Hex(value)
    },

    /** Returns the digest that `bind` has returned for this browser; `null` for none. */
    boundOf (request: FastifyRequest): string | null {
      const value = cookiesOf(request)[BINDING]
      return value === undefined || value === '' ? null : sha256Hex(value)
    },

    unbind (reply: FastifyReply): void {
      reply.header('Set-Cookie', cookie({ name: BINDING, value: '', sameSite: 'strict', maxAge: 0 }))
    }
  }

  function open (value: string): Content | null {
    try {
      return JSON.parse(box.open(value, CONTEXT).toString()) as Content
    } catch {
      return null
    }
  }
}

export type SsoTransactions = ReturnType<typeof ssoTransactions>

function nameOf (state: string): string {
  return PREFIX + sha256Hex(state).slice(0, 12)
}

function cookiesOf ({ headers: { cookie: header = '' } }: FastifyRequest): Record<string, string | undefined> {
  return parseCookie(header)
}

/** A provider's response is a link from another site, or with SAML a form, with which only `none` cookies are sent. */
function setCookie (
  reply: FastifyReply,
  { name, value, kind, maxAge = 0 }: { name: string, value: string, kind: SsoProvider['kind'], maxAge?: number }
): void {
  reply.header('Set-Cookie', cookie({ name, value, sameSite: kind === 'saml' ? 'none' : 'lax', maxAge }))
}

function cookie (
  { name, value, sameSite, maxAge }: { name: string, value: string, sameSite: 'strict' | 'lax' | 'none', maxAge: number }
): string {
  return stringifySetCookie({ name, value, path: '/', maxAge, httpOnly: true, secure: true, sameSite })
}
