import type { FastifyInstance, FastifyRequest } from 'fastify'

import { refuseIssuedBefore } from '../../plugins/embed-revocation.js'
export type {} from '../../plugins/user-reference.js'
import { earliestIssue } from '../../signing/issue-time.js'
import type { EmbedGrant } from './options.js'
import type { EmbedDetails } from './policy.js'

export interface RevocableEmbed {
  /** Every name by which the user may be revoked. */
  users: readonly string[]
  tenant: string | null
  /** As the query names them. */
  dashboards: readonly string[]
  /** Epoch milliseconds. */
  issuedAt: number
}

/** Dashboards that are looked up at once: a query may name hundreds, and others wait for the database too. */
const SLICE = 16

/** Throws a TypeError that names the field for a tenant or a time that is none. */
export function revocableEmbed (
  { userReference }: FastifyRequest, { email, username, tenant = null, issuedAt }: EmbedGrant, { dashboards }: EmbedDetails, now: number
): RevocableEmbed {
  if (tenant !== null && (typeof tenant !== 'string' || tenant === '')) throw new TypeError('tenant: must be a text that is not empty')
  // One in seconds would be earlier than every cut-off.
  if (issuedAt !== undefined && !(Number.isFinite(issuedAt) && issuedAt > 1e11)) throw new TypeError('issuedAt: must be a time in epoch milliseconds')
  const users = [email, username, userReference?.sub].filter((name) => name !== undefined)
  // The userReference guard has judged the reference's time by its own clock.
  const since = issuedAt === undefined ? userReference?.iat ?? now : earliestIssue(issuedAt, now)
  return { users, tenant, dashboards, issuedAt: since }
}

/** Refuses with `FORBIDDEN` an embed whose user, tenant or one of whose dashboards was revoked since. */
export async function refuseRevokedEmbed (app: FastifyInstance, { users, tenant, dashboards, issuedAt }: RevocableEmbed): Promise<void> {
  await refuseIssuedBefore(app, { tenant }, issuedAt)
  for (const user of new Set(users)) await refuseIssuedBefore(app, { user }, issuedAt)
  for (let at = 0; at < dashboards.length; at += SLICE) await refuseIssuedBefore(app, { dashboards: dashboards.slice(at, at + SLICE) }, issuedAt)
}
