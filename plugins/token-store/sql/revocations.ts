import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { assertSubject, canBeSubject, subjectKey } from '../revocation-subject.js'
import type { Cutoff, Revocation, RevocationKind, Revocations } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { toDate, toMilliseconds } from './times.js'

const KINDS: readonly RevocationKind[] = ['user', 'tenant', 'dashboard']
const COLUMNS = ['id', 'seq', 'org_id', 'kind', 'cutoff', 'created_at', 'created_by'] as const

type RevocationRow = Selectable<DatabaseSchema['revocations']>

export function sqlRevocations (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  caches: Caches,
  now: () => number
): Revocations {
  return {
    async revoke ({ orgId, kind, subject, before, createdBy }) {
      assertSubject(subject)
      try {
        const row = await db.insertInto('revocations').values({
          id: randomUUID(),
          org_id: toColumnText(orgId),
          kind,
          subject: toColumnText(subject),
          cutoff: toDate(before),
          created_at: toDate(now()),
          created_by: createdBy === null ? null : toColumnText(createdBy)
        }).onConflict((conflict) =>
          conflict.columns(['org_id', 'kind', 'subject']).doUpdateSet((eb) => {
            const raised = eb('excluded.cutoff', '>', eb.ref('revocations.cutoff'))
            return {
              cutoff: eb.fn<Date>('greatest', ['excluded.cutoff', 'revocations.cutoff']),
              created_at: eb.case().when(raised).then(eb.ref('excluded.created_at')).else(
                eb.ref('revocations.created_at')
              ).end(),
              created_by: eb.case().when(raised).then(eb.ref('excluded.created_by')).else(
                eb.ref('revocations.created_by')
              ).end()
            }
          })
        ).returningAll().executeTakeFirstOrThrow()
        return toRevocation(row)
      } finally {
        caches.revocationChanged(subjectKey(orgId, kind, subject))
      }
    },

    async lift (orgId, id) {
      const row = await db.deleteFrom('revocations').where('org_id', '=', toColumnText(orgId)).where(
        'id',
        '=',
        toColumnText(id)
      )
        .returningAll().executeTakeFirst()
      if (row === undefined) return null
      const lifted = toRevocation(row)
      caches.revocationChanged(subjectKey(orgId, lifted.kind, lifted.subject))
      return lifted
    },

    async list (orgId, { kind, subject }, request) {
      const { sql } = await import('kysely')
      const page = new ListPage<RevocationRow>(
        lists,
        request,
        (row) => ({ timestamp: toMilliseconds(row.created_at), sequence: Number(row.seq) })
      )
      const ofSubject = subject === undefined ? undefined : toColumnText(subject)
      await page.fill(({ before, scanLimit }) => {
        let rows = db.selectFrom('revocations').selectAll().where('org_id', '=', toColumnText(orgId))
          .orderBy('created_at', 'desc').orderBy('seq', 'desc').limit(scanLimit)
        // The index on kind and subject applies only with both conditions.
        if (ofSubject !== undefined) {
          rows = rows.where('kind', 'in', kind === undefined ? [...KINDS] : [kind]).where('subject', '=', ofSubject)
        }
        if (before !== null) {
          rows = rows.where((eb) =>
            eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(toDate(before.timestamp), String(before.sequence)))
          )
        }
        return {
          rows,
          filter: kind === undefined ? sql`true` : sql`kind = ${kind}`,
          time: 'created_at',
          columns: COLUMNS,
          jsonColumns: ['subject']
        }
      }, { showsAll: kind === undefined || subject !== undefined })
      return page.page(toRevocation)
    },

    cutoff (orgId, kind, subject) {
      if (!canBeSubject(subject)) return 0
      const cutoff = caches.cutoffs.get(subjectKey(orgId, kind, subject))
      return cutoff instanceof Promise ? cutoff.then(timeOf) : timeOf(cutoff)
    },

    cutoffs (orgId, subjects) {
      // An invalid subject is looked up as the empty subject, which cannot be revoked.
      const keys = subjects.map(({ kind, subject }) => subjectKey(orgId, kind, canBeSubject(subject) ? subject : ''))
      const cutoffs = caches.cutoffs.getMany(keys)
      return cutoffs instanceof Promise ? cutoffs.then((loaded) => loaded.map(timeOf)) : cutoffs.map(timeOf)
    }
  }
}

function timeOf (cutoff: Cutoff | null): number {
  return cutoff?.before ?? 0
}

function toRevocation (row: RevocationRow): Revocation {
  return {
    id: row.id,
    orgId: fromColumnText(row.org_id),
    kind: row.kind,
    subject: fromColumnText(row.subject),
    before: toMilliseconds(row.cutoff),
    createdAt: toMilliseconds(row.created_at),
    createdBy: row.created_by === null ? null : fromColumnText(row.created_by)
  }
}
