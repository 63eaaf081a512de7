import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { IdentityProvider, IdentityProviders } from '../../../contracts/token-store/index.js'
import { newProviderId } from '../limits.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoom } from './quotas.js'
import { openSecret, sealAgain, sealSecret } from './sealed-secrets.js'
import { toDate, toMilliseconds } from './times.js'

type Tx = Transaction<DatabaseSchema>

export function sqlIdentityProviders (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  box: SecretBox,
  caches: Caches,
  now: () => number
): IdentityProviders & { sweep(): Promise<void> } {
  let isSealed = false

  async function addSecret (tx: Tx, providerId: string, secret: string): Promise<void> {
    const id = randomUUID()
    await tx.insertInto('identity_provider_secrets').values({
      id,
      provider_id: providerId,
      sealed: sealSecret(box, { table: 'identity_provider_secrets', ownerId: providerId, id }, Buffer.from(secret)),
      expires_at: null
    }).execute()
  }

  return {
    async create ({ orgId, kind, name, enabled, settings, roles, secret = null, quota }) {
      const id = newProviderId()
      const at = toDate(now())
      return await db.transaction().execute(async (tx) => {
        await assertRoom(tx, 'identity_providers', orgId, quota)
        const row = await tx.insertInto('identity_providers').values({
          id,
          org_id: toColumnText(orgId),
          kind,
          name: toColumnText(name),
          enabled,
          settings: JSON.stringify(settings),
          roles: JSON.stringify(roles),
          created_at: at,
          updated_at: at
        }).returningAll().executeTakeFirstOrThrow()
        if (secret !== null) await addSecret(tx, id, secret)
        return toProvider(row)
      })
    },

    async get (orgId, id) {
      const row = await db.selectFrom('identity_providers').selectAll().where('org_id', '=', toColumnText(orgId))
        .where('id', '=', toColumnText(id)).executeTakeFirst()
      return row === undefined ? null : toProvider(row)
    },

    async list (orgId, page) {
      let query = db.selectFrom('identity_providers').selectAll().where('org_id', '=', toColumnText(orgId))
        .orderBy('created_at', 'desc').orderBy('seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toProvider)
    },

    async update (orgId, id, { name, enabled, settings, roles }) {
      const row = await db.updateTable('identity_providers').set({
        ...name === undefined ? {} : { name: toColumnText(name) },
        ...enabled === undefined ? {} : { enabled },
        ...settings === undefined ? {} : { settings: JSON.stringify(settings) },
        ...roles === undefined ? {} : { roles: JSON.stringify(roles) },
        updated_at: toDate(now())
      }).where('org_id', '=', toColumnText(orgId)).where('id', '=', toColumnText(id)).returningAll().executeTakeFirst()
      return row === undefined ? null : toProvider(row)
    },

    async rotateSecret (orgId, id, { secret, overlapUntil }) {
      return await db.transaction().execute(async (tx) => {
        const providerId = toColumnText(id)
        // The update locks the provider, so that of two concurrent rotations the second ends the first one's secret.
        const row = await tx.updateTable('identity_providers').set({ updated_at: toDate(now()) })
          .where('org_id', '=', toColumnText(orgId)).where('id', '=', providerId).returningAll().executeTakeFirst()
        if (row === undefined) return null
        const old = tx.deleteFrom('identity_provider_secrets').where('provider_id', '=', providerId)
        if (overlapUntil <= now()) {
          await old.execute()
        } else {
          await old.where('expires_at', 'is not', null).execute()
          await tx.updateTable('identity_provider_secrets').set({ expires_at: toDate(overlapUntil) })
            .where('provider_id', '=', providerId).execute()
        }
        await addSecret(tx, providerId, secret)
        return toProvider(row)
      })
    },

    async delete (orgId, id) {
      const providerId = toColumnText(id)
      const ended: string[] = []
      try {
        return await db.transaction().execute(async (tx) => {
          const row = await tx.deleteFrom('identity_providers').where('org_id', '=', toColumnText(orgId))
            .where('id', '=', providerId).returningAll().executeTakeFirst()
          if (row === undefined) return null
          await tx.deleteFrom('identities').where('provider_id', '=', providerId).execute()
          const sessions = await tx.deleteFrom('sessions').where('provider_id', '=', providerId).returning('id')
            .execute()
          ended.push(...sessions.map((session) => fromColumnText(session.id)))
          return toProvider(row)
        })
      } finally {
        for (const sessionId of ended) caches.sessionChanged(sessionId)
      }
    },

    async resolve (id) {
      const rows = await db.selectFrom('identity_providers')
        .leftJoin('identity_provider_secrets as secret', (join) =>
          join.onRef('secret.provider_id', '=', 'identity_providers.id')
            .on((eb) => eb.or([eb('secret.expires_at', 'is', null), eb('secret.expires_at', '>', toDate(now()))])))
        .selectAll('identity_providers').select(['secret.id as secret_id', 'secret.sealed'])
        .where('identity_providers.id', '=', toColumnText(id)).orderBy('secret.seq', 'desc').execute()
      const [first] = rows
      if (first === undefined) return null
      const secrets = rows.flatMap(({ secret_id: secretId, sealed }) =>
        secretId === null || sealed === null
          ? []
          : [openSecret(box, { table: 'identity_provider_secrets', ownerId: first.id, id: secretId }, sealed).toString()]
      )
      return { ...toProvider(first), secrets }
    },

    async sweep () {
      await db.deleteFrom('identity_provider_secrets').where('expires_at', '<=', toDate(now())).execute()
      if (isSealed) return
      await sealAgain(db, box, 'identity_provider_secrets')
      isSealed = true
    }
  }
}

function toProvider (row: Selectable<DatabaseSchema['identity_providers']>): IdentityProvider {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    kind: row.kind,
    name: fromColumnText(row.name),
    enabled: row.enabled,
    settings: row.settings,
    roles: row.roles,
    createdAt: toMilliseconds(row.created_at),
    updatedAt: toMilliseconds(row.updated_at)
  }
}
