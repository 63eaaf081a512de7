import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Organisation, Organisations } from '../../../contracts/token-store/index.js'
import { organisationOf } from '../organisation-settings.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlOrganisations (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  caches: Caches,
  now: () => number
): Organisations {
  return {
    async create ({ id = randomUUID(), ...fields }) {
      const { name, mfa, maxUsers, maxSources } = organisationOf({ id, ...fields })
      const row = await db.insertInto('organisations').values({
        id: toColumnText(id),
        name: toColumnText(name),
        mfa,
        max_users: maxUsers,
        max_sources: maxSources,
        created_at: toDate(now())
      }).returningAll().executeTakeFirstOrThrow()
      return toOrganisation(row)
    },

    async get (id) {
      const row = await db.selectFrom('organisations').selectAll().where('id', '=', toColumnText(id)).executeTakeFirst()
      return row === undefined ? null : toOrganisation(row)
    },

    async update (id, { name, mfa, maxUsers, maxSources }) {
      try {
        const row = await db.updateTable('organisations').where('id', '=', toColumnText(id)).set((eb) => ({
          name: name === undefined ? eb.ref('name') : toColumnText(name),
          mfa: mfa ?? eb.ref('mfa'),
          max_users: maxUsers === undefined ? eb.ref('max_users') : maxUsers,
          max_sources: maxSources === undefined ? eb.ref('max_sources') : maxSources
        })).returningAll().executeTakeFirst()
        return row === undefined ? null : toOrganisation(row)
      } finally {
        caches.organisationChanged(id)
      }
    },

    async list (page) {
      let query = db.selectFrom('organisations').selectAll().orderBy('created_at', 'desc').orderBy('seq', 'desc')
        .limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toOrganisation)
    }
  }
}

function toOrganisation (row: Selectable<DatabaseSchema['organisations']>): Organisation {
  return {
    id: fromColumnText(row.id),
    name: fromColumnText(row.name),
    mfa: row.mfa,
    maxUsers: row.max_users,
    maxSources: row.max_sources,
    createdAt: toMilliseconds(row.created_at)
  }
}
