import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type {
  Page, PageRequest, Revocation, RevocationFilter,
  Revocations
} from '../../../../contracts/token-store/index.js'
import { canonicalDashboard } from '../../../../signing/boldbi/dashboard-name.js'

/** Above the number of revocations that one name can have: a user, a tenant, and a dashboard in two spellings. */
const ALL = 8
const INDEX = /^[1-9]$/

/**
 * Returns a page of the revocations, newest first. A dashboard matches any spelling of its name; a user and a tenant
 * match only the exact string.
 */
export async function findRevocations (
  revocations: Revocations,
  orgId: string,
  filter: RevocationFilter,
  page: PageRequest
): Promise<Page<Revocation>> {
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

/** Returns a page of a short list. The cursor is the index of the first item. */
function pageOf (all: Revocation[], { cursor, limit }: PageRequest): Page<Revocation> {
  if (cursor !== undefined && !INDEX.test(cursor)) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  const start = Number(cursor ?? 0)
  const end = start + limit
  return { data: all.slice(start, end), nextCursor: end < all.length ? String(end) : null }
}
