import { randomBytes } from 'node:crypto'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { NewSsoSession } from '../../../contracts/token-store/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import { SsoRefusal } from './accounts.js'
import type { AccountOf } from './accounts.js'
import type { SsoCore } from './protocol.js'
import type { SsoTransactions } from './transactions.js'

/** Milliseconds in which the login page exchanges the code of a finished login. */
const CODE_TTL = 120_000
const CODE_BYTES = 24
/** Maximum length of a hint: the provider's logout page receives it in a URL. */
const MAX_HINT = 8_192
export const LOGIN_CONTEXT = 'sso login'
export const HINT_CONTEXT = 'sso logout hint'

/** A finished login, as it is stored sealed until the login page exchanges its code. */
export interface FinishedLogin {
  userId: string
  orgId: string
  epoch: number
  kind: 'oidc' | 'saml'
  sso: NewSsoSession
  mfaAt: number | null
  /** SHA-256 of the cookie that the exchange must repeat. */
  binding: string
}

interface FinishParts {
  loginPage: string
  transactions: SsoTransactions
  accountOf: AccountOf
  box: SecretBox
  /** When the response of the provider arrived, epoch milliseconds. */
  arrivedAt: (request: FastifyRequest) => number
  now: () => number
}

/** Creates the last steps of a login, whichever protocol it used. */
export function ssoFinish (
  scope: FastifyInstance,
  { loginPage, transactions, accountOf, box, arrivedAt, now }: FinishParts
): Pick<SsoCore, 'finish' | 'fail'> {
  const { ssoLogins } = scope.tokenStore

  const fail: SsoCore['fail'] = function fail (request, reply, { provider, reason, detail, cause }) {
    request.log.warn(
      { providerId: provider.id, reason, detail, ...cause === undefined ? {} : { err: safeError(cause) } },
      'a login at an identity provider failed'
    )
    scope.audit({
      action: 'auth.sso_failed',
      request,
      orgId: provider.orgId,
      userId: null,
      userEmail: null,
      resourceType: 'identity_provider',
      resourceId: provider.id,
      changes: { reason, detail, provider_kind: provider.kind },
      refusal: true
    })
    return toLoginPage(reply, { sso_error: reason })
  }

  return {
    fail,

    async finish (request, reply, { provider, returnTo, identity }) {
      const loginAt = arrivedAt(request)
      let user
      try {
        user = await accountOf(request, provider, identity)
      } catch (error) {
        if (!(error instanceof SsoRefusal)) throw error
        return fail(request, reply, { provider, reason: error.failure, detail: error.message })
      }
      const { subject, providerSession, hint, mfaAt } = identity
      const login: FinishedLogin = {
        userId: user.id,
        orgId: user.orgId,
        epoch: user.epoch,
        kind: provider.kind,
        sso: {
          providerId: provider.id,
          subject,
          providerSession,
          sealedHint: hint === null || hint.length > MAX_HINT ? null : box.seal(hint, HINT_CONTEXT),
          loginAt
        },
        mfaAt,
        binding: transactions.bind(reply)
      }
      const code = randomBytes(CODE_BYTES).toString('base64url')
      await ssoLogins.put({
        digest: sha256Hex(code),
        sealed: box.seal(JSON.stringify(login), LOGIN_CONTEXT),
        expiresAt: now() + CODE_TTL
      })
      return toLoginPage(reply, { sso: code, ...returnTo === null ? {} : { return_to: returnTo } })
    }
  }

  /** The values are in the fragment, which browsers send neither to servers nor in `Referer`. */
  function toLoginPage (reply: FastifyReply, values: Record<string, string>): FastifyReply {
    return reply.redirect(`${loginPage}#${new URLSearchParams(values).toString()}`, 303)
  }
}

/** Messages of libraries may quote the provider's response, so only the names of the errors are logged. */
export function safeError (cause: unknown): { name: string, code?: string } {
  if (!(cause instanceof Error)) return { name: typeof cause }
  const { code } = cause as Error & { code?: unknown }
  return { name: cause.name, ...typeof code === 'string' ? { code } : {} }
}
