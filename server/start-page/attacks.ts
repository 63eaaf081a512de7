import type { FastifyInstance } from 'fastify'

import type { Revocation, TokenStore } from '../../contracts/token-store/index.js'
import { CONFLICT } from '../../lib/errors.js'
import { proxyAuthUrl } from '../../routes/databrain/guest-token/page-config.js'
import { signWidgetToken, widgetMessage } from '../../signing/dxfeed/widget-token.js'
import { signUserReference } from '../../signing/user-reference.js'
import { claimsOfIdentified } from '../embed-user.js'
import { ORG } from '../demo-source.js'
import { GUEST_TOKEN_PATH } from '../products.js'
import type { Products } from '../products.js'
import type { Visit } from './session.js'

const HOUR = 3_600_000
const MINUTE = 60_000
/** The audience of the userReference plugin. */
const AUDIENCE = 'gatehouse-embed'
/** Another site, as a browser names it in `Origin`. */
const FOREIGN_ORIGIN = 'https://shop.evil.example'

export interface AttackParts {
  app: FastifyInstance
  store: TokenStore
  products: Products
  /** The server's own origin. */
  origin: string
  userReferenceKey: string
}

/** Functions that prepare or perform attacks on this server that a script in a browser cannot perform. */
export function attacks ({ app, store, products, origin, userReferenceKey }: AttackParts) {
  const { revocations, guestTokens } = store

  /** Returns a URL whose user reference expired an hour ago: a page that was saved yesterday. */
  function expiredReference ({ user, since }: Visit): { proxyAuthUrl: string } {
    const reference = signUserReference(claimsOfIdentified({ id: user, issuedAt: since }), {
      key: userReferenceKey,
      audience: AUDIENCE,
      ttl: HOUR,
      now: Date.now() - 2 * HOUR
    })
    return { proxyAuthUrl: proxyAuthUrl(origin + GUEST_TOKEN_PATH, reference) }
  }

  /** Returns a widget token that expired ten minutes ago: a token copied from a log. */
  function expiredToken ({ user }: Visit): { token: string } {
    if (products.dxfeed === null) throw new CONFLICT({ message: 'dxFeed is disabled' })
    const { secret, issuer, session, filters, timeUnit } = products.dxfeed
    const unit = timeUnit === 's' ? 1_000 : 1
    const issuedAt = Math.floor((Date.now() - 20 * MINUTE) / unit)
    const expiration = issuedAt + Math.floor(10 * MINUTE / unit)
    const message = widgetMessage(products.dxfeed.user ?? user, filters)
    return { token: signWidgetToken({ issuer, session, issuedAt, expiration, message }, secret) }
  }

  /** Requests a widget token as a page of another site would, with the visitor's cookie. */
  async function foreignOrigin (visit: Visit, cookie: string): Promise<Refusal> {
    return send(visit, '/api/generate-token', { headers: { cookie, origin: FOREIGN_ORIGIN } })
  }

  /** Sends an event with the page's public key, as a page of another site would. */
  async function foreignEvent (visit: Visit, pipelineKey: string, event: object): Promise<Refusal> {
    return send(visit, '/v1/t', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}`, origin: FOREIGN_ORIGIN },
      body: JSON.stringify(event)
    })
  }

  async function send ({ id }: Visit, path: string, init: RequestInit): Promise<Refusal> {
    return products.calls.run(id, 'attacker', async () => {
      const response = await fetch(origin + path, { ...init, signal: AbortSignal.timeout(5_000) })
      return { status: response.status, body: await response.json() }
    })
  }

  /** Revokes the visitor's user, as an administrator does in the console. */
  async function revoke ({ user }: Visit): Promise<void> {
    const current = await revocationOf(user)
    if (current !== null && !isOwn(current)) {
      throw new CONFLICT({ message: 'An administrator has revoked this user; lift the revocation in the console' })
    }
    const { id } = await revocations.revoke({
      orgId: ORG, kind: 'user', subject: user, before: Date.now(), createdBy: null
    })
    audit('embed.revoked', id, user)
    await guestTokens.invalidate({ clientId: user })
  }

  /** Lifts the revocation, unless an administrator has set or raised it. */
  async function restore ({ user }: Visit): Promise<void> {
    const current = await revocationOf(user)
    if (current === null) return
    if (!isOwn(current)) {
      throw new CONFLICT({ message: 'An administrator has revoked this user; lift the revocation in the console' })
    }
    await revocations.lift(ORG, current.id)
    audit('embed.revocation_lifted', current.id, user)
  }

  async function revocationOf (user: string): Promise<Revocation | null> {
    const { data } = await revocations.list(ORG, { kind: 'user', subject: user }, { limit: 1, cursor: undefined })
    return data[0] ?? null
  }

  function audit (action: string, id: string, subject: string): void {
    app.audit({ action, resourceType: 'revocation', resourceId: id, changes: { kind: 'user', subject } })
  }

  return { expiredReference, expiredToken, foreignOrigin, foreignEvent, revoke, restore }
}

/** Whether a visitor of the page set the revocation, also before a restart. The admin API always names its caller. */
function isOwn ({ createdBy }: Revocation): boolean {
  return createdBy === null
}

export interface Refusal {
  status: number
  body: unknown
}
