import { randomUUID } from 'node:crypto'
import type { ExpressionBuilder, Kysely, Selectable, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import type { Factors, Passkey } from '../../../contracts/token-store/index.js'
import { lastFactor, MAX_PASSKEYS, tooManyPasskeys } from '../limits.js'
import type { Caches } from './caches.js'
import { inTurn } from './in-turn.js'
import { openTotpSecret, sealTotpSecret } from './sealed-totp.js'
import { toDate, toMilliseconds } from './times.js'

type Db = Kysely<DatabaseSchema>
type Tx = Transaction<DatabaseSchema>

export function sqlFactors (
  db: Db,
  box: SecretBox,
  caches: Caches,
  now: () => number
): Factors & { sweep(): Promise<void> } {
  /** Changes the factors of a user, one change at a time; `missing` for an unknown user. */
  async function change<Result> (userId: string, missing: Result, run: (tx: Tx, id: string) => Promise<Result>) {
    const id = toColumnText(userId)
    try {
      return await db.transaction().execute(async (tx) => {
        const user = await tx.selectFrom('users').select('id').where('id', '=', id).forUpdate().executeTakeFirst()
        return user === undefined ? missing : await run(tx, id)
      })
    } finally {
      caches.userChanged(userId)
    }
  }

  async function totpRow (userId: string) {
    return await db.selectFrom('totp_factors').selectAll().where('user_id', '=', toColumnText(userId))
      .executeTakeFirst()
  }

  return {
    async get (userId) {
      const id = toColumnText(userId)
      const totp = await totpRow(userId)
      const passkeys = await db.selectFrom('passkeys').selectAll().where('user_id', '=', id).orderBy('seq').execute()
      const { count } = await db.selectFrom('recovery_codes').select((eb) => eb.fn.countAll<string>().as('count'))
        .where('user_id', '=', id).executeTakeFirstOrThrow()
      return {
        totp: totp?.confirmed_at == null ? null : { confirmedAt: toMilliseconds(totp.confirmed_at) },
        passkeys: passkeys.map(toPasskey),
        recoveryCodes: Number(count)
      }
    },

    async proposeTotp (userId, secret) {
      return await change(userId, false, async (tx, id) => {
        const proposed = sealTotpSecret(box, userId, secret)
        await tx.insertInto('totp_factors').values({ user_id: id, proposed })
          .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ proposed })).execute()
        return true
      })
    },

    async proposedTotp (userId) {
      const row = await totpRow(userId)
      return row?.proposed == null ? null : openTotpSecret(box, userId, row.proposed)
    },

    async confirmTotp (userId, { secret, step, recoveryDigests }) {
      return await change(userId, null, async (tx, id) => {
        const row = await tx.selectFrom('totp_factors').select('proposed').where('user_id', '=', id).executeTakeFirst()
        if (row?.proposed == null || openTotpSecret(box, userId, row.proposed) !== secret) return null
        const first = await addRecoveryCodes(tx, id, recoveryDigests)
        await tx.updateTable('totp_factors').where('user_id', '=', id).set({
          sealed: row.proposed,
          confirmed_at: toDate(now()),
          last_step: step,
          proposed: null
        }).execute()
        return { first }
      })
    },

    async totpSecret (userId) {
      const row = await totpRow(userId)
      return row?.sealed == null ? null : openTotpSecret(box, userId, row.sealed)
    },

    async useTotpStep (userId, step) {
      const row = await db.updateTable('totp_factors').set({ last_step: step })
        .where('user_id', '=', toColumnText(userId)).where('last_step', '<', step).returning('user_id')
        .executeTakeFirst()
      return row !== undefined
    },

    async removeTotp (userId) {
      return await change(userId, false, async (tx, id) => {
        const row = await tx.deleteFrom('totp_factors').where('user_id', '=', id).returning('sealed')
          .executeTakeFirst()
        if (row === undefined) return false
        if (row.sealed !== null) await checkRemoval(tx, id)
        return true
      })
    },

    async addPasskey ({ userId, credentialId, publicKey, counter, transports, name }, recoveryDigests) {
      return await change(userId, null, async (tx, id) => {
        const first = await addRecoveryCodes(tx, id, recoveryDigests)
        const { count } = await tx.selectFrom('passkeys').select((eb) => eb.fn.countAll<string>().as('count'))
          .where('user_id', '=', id).executeTakeFirstOrThrow()
        if (Number(count) >= MAX_PASSKEYS) throw tooManyPasskeys()
        const row = await tx.insertInto('passkeys').values({
          id: randomUUID(),
          user_id: id,
          credential_id: toColumnText(credentialId),
          public_key: toColumnText(publicKey),
          counter,
          transports: JSON.stringify(transports),
          name: toColumnText(name),
          created_at: toDate(now()),
          last_used_at: null
        }).returningAll().executeTakeFirstOrThrow()
        return { passkey: toPasskey(row), first }
      })
    },

    async findPasskey (credentialId) {
      const row = await db.selectFrom('passkeys').selectAll().where('credential_id', '=', toColumnText(credentialId))
        .executeTakeFirst()
      return row === undefined ? null : toPasskey(row)
    },

    async usePasskey (credentialId, counter) {
      const row = await db.updateTable('passkeys').set({ counter, last_used_at: toDate(now()) })
        .where('credential_id', '=', toColumnText(credentialId))
        .where((eb) =>
          counter === 0 ? eb('counter', '=', eb.val('0')) : eb('counter', '<', eb.cast<string>(eb.val(counter), 'bigint'))
        ).returning('id').executeTakeFirst()
      return row !== undefined
    },

    async removePasskey (userId, passkeyId) {
      return await change(userId, null, async (tx, id) => {
        const row = await tx.deleteFrom('passkeys').where('user_id', '=', id).where('id', '=', toColumnText(passkeyId))
          .returningAll().executeTakeFirst()
        if (row === undefined) return null
        await checkRemoval(tx, id)
        return toPasskey(row)
      })
    },

    async replaceRecoveryCodes (userId, digests) {
      return await change(userId, false, async (tx, id) => {
        if (!await hasFactor(tx, id)) return false
        await storeRecoveryCodes(tx, id, digests)
        return true
      })
    },

    async takeRecoveryCode (userId, digest) {
      const row = await db.deleteFrom('recovery_codes').where('user_id', '=', toColumnText(userId))
        .where('digest', '=', toColumnText(digest)).returning('digest').executeTakeFirst()
      return row !== undefined
    },

    async removeAll (userId) {
      return await change(userId, false, async (tx, id) => {
        const had = await hasFactor(tx, id)
        for (const table of ['totp_factors', 'passkeys', 'recovery_codes'] as const) {
          await tx.deleteFrom(table).where('user_id', '=', id).execute()
        }
        return had
      })
    },

    /** Encrypts the secrets with the current key again, so that previous keys can be removed. */
    async sweep () {
      const { sql } = await import('kysely')
      const isOld = (column: string) => sql<boolean>`not starts_with(${sql.ref(column)}, ${box.currentPrefix})`
      const rows = await db.selectFrom('totp_factors').select(['user_id', 'sealed', 'proposed'])
        .where((eb) => eb.or([isOld('sealed'), isOld('proposed')])).execute()
      const old = rows.flatMap(({ user_id: id, sealed, proposed }) =>
        ([['sealed', sealed], ['proposed', proposed]] as const).flatMap(([column, value]) =>
          value === null || box.isCurrent(value) ? [] : [{ id, column, value }]
        )
      )
      await inTurn(old.map(({ id, column, value }) => async () => {
        const userId = fromColumnText(id)
        const fresh = sealTotpSecret(box, userId, openTotpSecret(box, userId, value))
        await db.updateTable('totp_factors').set({ [column]: fresh }).where('user_id', '=', id).where(column, '=', value)
          .execute()
      }))
    }
  }
}

/** Whether a user of the outer query has a factor. */
export function hasFactorOf (eb: ExpressionBuilder<DatabaseSchema, 'users'>) {
  return eb.or([
    eb.exists(eb.selectFrom('totp_factors').select('user_id').whereRef('totp_factors.user_id', '=', 'users.id')
      .where('sealed', 'is not', null)),
    eb.exists(eb.selectFrom('passkeys').select('passkeys.id').whereRef('passkeys.user_id', '=', 'users.id'))
  ])
}

async function hasFactor (tx: Tx, id: string): Promise<boolean> {
  const { has } = await tx.selectFrom('users').select((eb) => hasFactorOf(eb).as('has')).where('id', '=', id)
    .executeTakeFirstOrThrow()
  return Boolean(has)
}

/** Before a factor is added: stores recovery codes if it is the first, and returns whether it is. */
async function addRecoveryCodes (tx: Tx, id: string, digests: readonly string[]): Promise<boolean> {
  if (await hasFactor(tx, id)) return false
  await storeRecoveryCodes(tx, id, digests)
  await tx.updateTable('sessions').set({ mfa_at: null }).where('user_id', '=', id).where('provider_id', 'is not', null)
    .execute()
  return true
}

async function storeRecoveryCodes (tx: Tx, id: string, digests: readonly string[]): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', id).execute()
  if (digests.length === 0) return
  await tx.insertInto('recovery_codes').values(digests.map((digest) => ({ user_id: id, digest: toColumnText(digest) })))
    .execute()
}

/** Called after a removal: rolls it back if a factor is required, and deletes the recovery codes with the last. */
async function checkRemoval (tx: Tx, id: string): Promise<void> {
  if (await hasFactor(tx, id)) return
  // The lock makes this wait for a change of the policy in progress.
  const required = await tx.selectFrom('organisations').select('organisations.id').forShare()
    .where('mfa', '=', 'required')
    .where('organisations.id', 'in', (eb) => eb.selectFrom('memberships').select('org_id').where('user_id', '=', id))
    .executeTakeFirst()
  if (required !== undefined) throw lastFactor()
  await storeRecoveryCodes(tx, id, [])
}

function toPasskey (row: Selectable<DatabaseSchema['passkeys']>): Passkey {
  return {
    id: fromColumnText(row.id),
    userId: fromColumnText(row.user_id),
    credentialId: fromColumnText(row.credential_id),
    publicKey: fromColumnText(row.public_key),
    counter: Number(row.counter),
    transports: row.transports,
    name: fromColumnText(row.name),
    createdAt: toMilliseconds(row.created_at),
    lastUsedAt: toMilliseconds(row.last_used_at)
  }
}
