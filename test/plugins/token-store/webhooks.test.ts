import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import type { NewWebhook, TokenStore } from '../../../contracts/token-store/index.js'
import { manualClock } from '../../../conformance/clocks.js'
import { aSource, aWebhook } from '../../../conformance/token-store/fixtures.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { privatePostgres } from '../../helpers/postgres.js'

const oldKey = 'an older key that sealed what is stored'
const newKey = 'the key of today that seals what is new'
const secret = 'webhook-secret-8f3c91d27ab64e05'

async function make (store: TokenStore, fields: Partial<NewWebhook> = {}, orgId = 'org-a') {
  const source = await store.sources.create(aSource({ orgId }))
  const webhook = await store.webhooks.create(orgId, source.id, aWebhook({ secret, ...fields }))
  if (webhook === null) throw new Error('the source was not found')
  return { source, webhook }
}

async function firstSecret (store: TokenStore, id: string): Promise<string | undefined> {
  return (await store.webhooks.resolve(id))?.secrets[0]?.value.toString()
}

/** Every row of every table as a string. */
async function dump ({ db }: Database): Promise<string> {
  const { rows } = await sql<
    { name: string }
  >`select tablename as name from pg_tables where schemaname = current_schema()`.execute(db)
  const tables = await Promise.all(
    rows.map(({ name }) => sql`select t.*::text as row from ${sql.table(name)} t`.execute(db))
  )
  return JSON.stringify(tables.map((table) => table.rows))
}

t.test("no table contains a webhook's secret in plain text", async (t) => {
  const database = await emptyDatabase()
  const store = sqlStore(database, { secretsKeys: [newKey] })
  const { source, webhook } = await make(store)
  await store.webhooks.rotateSecret('org-a', source.id, webhook.id, {
    secret: `${secret}-2`,
    overlapUntil: Date.now() + 60_000
  })
  const text = await dump(database)
  t.match(text, webhook.id, 'the dump shows what is stored')
  for (
    const form of [secret.slice(0, 12), Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64').slice(0, 14)]
  ) t.notMatch(text, form)
  t.equal(await firstSecret(store, webhook.id), `${secret}-2`, 'the store can open it')
})

t.test('a sealed secret that was altered or copied from another webhook is UNAVAILABLE and not used', async (t) => {
  const database = await emptyDatabase()
  const { db } = database
  const store = sqlStore(database, { secretsKeys: [newKey], cacheTtl: 0 })
  const { webhook: mine } = await make(store, { secret: 'a secret of an attacker' })
  const { webhook: theirs } = await make(store, {}, 'org-b')
  const read = (id: string) =>
    db.selectFrom('webhook_secrets').selectAll().where('webhook_id', '=', id).executeTakeFirstOrThrow()
  const [own, foreign] = [await read(mine.id), await read(theirs.id)]
  for (const sealed of [own.sealed, foreign.sealed.slice(0, -2), `${foreign.sealed}A`, '', secret]) {
    await db.updateTable('webhook_secrets').set({ sealed }).where('id', '=', foreign.id).execute()
    await t.rejects(async () => await store.webhooks.resolve(theirs.id), { code: 'UNAVAILABLE' }, sealed.slice(0, 12))
  }
  await db.updateTable('webhook_secrets').set({ sealed: foreign.sealed }).where('id', '=', foreign.id).execute()
  t.equal(await firstSecret(store, theirs.id), secret)
})

t.test('after a rotation of SECRETS_KEY the old key still opens secrets, and is not needed after ' +
  'a sweep', async (t) => {
  const database = await emptyDatabase()
  const { webhook: { id } } = await make(sqlStore(database, { secretsKeys: [oldKey] }))
  const secretWith = async (...secretsKeys: string[]) => firstSecret(sqlStore(database, { secretsKeys }), id)
  t.equal(await secretWith(newKey, oldKey), secret)
  await t.rejects(secretWith(newKey), { code: 'UNAVAILABLE' })
  await sqlStore(database, { secretsKeys: [newKey, oldKey] }).sweep({ auditRetention: 1_000 })
  t.equal(await secretWith(newKey), secret)
})

t.test('two instances share webhooks on one PostgreSQL', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const databases = [await openDatabase({ url: postgres.url }), await openDatabase({ url: postgres.url })] as const
  t.teardown(async () => {
    for (const database of databases) await database.close()
  })
  const clock = manualClock()
  const [a, b] = [sqlStore(databases[0], { secretsKeys: [newKey], now: clock.now }),
    sqlStore(databases[1], { secretsKeys: [newKey], now: clock.now })]

  await t.test('a change of a webhook or its source on one instance takes effect on the other within ' +
    'a second', async (t) => {
    const { source, webhook: { id } } = await make(a)
    const seen = async () => {
      const resolved = await b.webhooks.resolve(id)
      return resolved === null ? null : [resolved.webhook.enabled, resolved.source.enabled, resolved.secrets.length]
    }
    t.same(await seen(), [true, true, 1])
    const changes: Array<[() => Promise<unknown>, unknown]> = [
      [() => a.webhooks.update('org-a', source.id, id, { enabled: false }), [false, true, 1]],
      [() => a.sources.update('org-a', source.id, { enabled: false }), [false, false, 1]],
      [() => a.webhooks.rotateSecret('org-a', source.id, id, { secret: 'next', overlapUntil: clock.now() + 60_000 }), [
        false,
        false,
        2
      ]],
      [() => a.sources.delete('org-a', source.id), null]
    ]
    for (const [change, expected] of changes) {
      await change()
      await clock.advance(1_000)
      t.same(await seen(), expected)
    }
  })

  await t.test('no webhook is left that is created while its source is deleted', async (t) => {
    for (let round = 0; round < 20; round++) {
      const { source } = await make(a)
      const made = await Promise.all([a.webhooks.create('org-a', source.id, aWebhook()),
        b.sources.delete('org-a', source.id), a.webhooks.create('org-a', source.id, aWebhook())])
      for (const webhook of made) {
        if (webhook !== null && typeof webhook === 'object') t.equal(await b.webhooks.resolve(webhook.id), null)
      }
    }
    t.same(await databases[0].db.selectFrom('webhooks').selectAll().execute(), [])
    t.same(await databases[0].db.selectFrom('webhook_secrets').selectAll().execute(), [])
  })

  await t.test('many concurrent rotations leave exactly two secrets, of which only the older expires', async (t) => {
    const { source, webhook: { id } } = await make(a)
    await Promise.all(Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? a : b).webhooks
        .rotateSecret('org-a', source.id, id, { secret: `secret ${at}`, overlapUntil: clock.now() + 60_000 })))
    await clock.advance(1_000)
    const secrets = (await b.webhooks.resolve(id))?.secrets
    t.equal(secrets?.length, 2)
    t.equal(secrets?.[0]?.expiresAt, null)
    t.equal((await b.webhooks.get('org-a', source.id, id))?.secretPrefix, secrets?.[0]?.value.toString().slice(0, 2))
  })
})
