import { setImmediate as turn } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'

import type { AuditEntry } from '../../contracts/token-store/index.js'

/**
 * The audit trail once it holds that many entries, oldest first; entries are written behind the answer. Fails when
 * they do not come.
 */
export async function auditEntries (app: FastifyInstance, count: number, orgId = 'default'): Promise<AuditEntry[]> {
  const until = Date.now() + 60_000
  for (;;) {
    const { data } = await app.tokenStore.audit.list(orgId, {}, { limit: 100 })
    if (data.length >= count) return data.reverse()
    if (Date.now() > until) throw new Error(`only ${data.length} of ${count} audit entries came`)
    await turn()
  }
}
