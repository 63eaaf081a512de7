import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type { Page, PageRequest, Revocation, RevocationFilter, Revocations } from '../../../../contracts/token-store/index.js'
import { canonicalDashboard } from '../../../../signing/boldbi/dashboard-name.js'

/** More than there can be of one name: a user, a tenant, and a dashboard in two spellings. */
const ALL = 8
const PLACE = /^[1-9]$/

/**
 * A page of the revocations, newest first. A dashboard is found by any spelling of its name; a user and a tenant, which may bear the same one,
 * by that very text.
 */
export async function listRevoked (revocations: Revocations, orgId: string, filter: RevocationFilter, page: PageRequest): Promise<Page<Revocation>> {
  const { kind, subject } = filter
  const canonical = subject === undefined ? '' : canonicalDashboard(subject)
  const isDashboard = kind === undefined || kind === 'dashboard'
  if (!isDashboard || canonical === '' || canonical === subject) return revocations.list(orgId, filter, page)
  const [asWritten, inOneSpelling] = await Promise.all([
    revocations.list(orgId, filter, { limit: ALL }),
    revocations.list(orgId, { kind: 'dashboard', subject: canonical }, { limit: ALL })
  ])
  return pageOf([...asWritten.data, ...inOneSpelling.data].sort((one, other) => other.createdAt - one.createdAt), page)
}

/** A page of these few; its cursor is how many came before. */
function pageOf (all: Revocation[], { cursor, limit }: PageRequest): Page<Revocation> {
  if (cursor !== undefined && !PLACE.test(cursor)) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  const start = Number(cursor ?? 0)
  const end = start + limit
  return { data: all.slice(start, end), nextCursor: end < all.length ? String(end) : null }
}
