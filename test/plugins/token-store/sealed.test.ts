import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import { manualClock } from '../../../conformance/clocks.js'
import { aSession, aSource, aUser, anEntry } from '../../../conformance/token-store/fixtures.js'
import { emptyDatabase } from '../../helpers/pglite.js'

const oldKey = 'an older key that sealed what is stored'
const newKey = 'the key of today that seals what is new'
const secretsKeys = [newKey]
const serverSecret = 'server-secret-8f3c91d27ab64e05'
const guestToken = '6c1c9bbb-2c0b-4d5a-8f4f-0d4b5c1e9a01'
const refreshId = 'refresh-id-5d1f0c7b9e2a4836'

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

t.test('no table contains a server secret, a guest token or a refresh id in plain text', async (t) => {
  const database = await emptyDatabase()
  const clock = manualClock()
  const store = sqlStore(database, { secretsKeys, now: clock.now })
  const user = await aUser(store)
  const { id, pipelineKey } = await store.sources.create(aSource({ serverSecret }))
  await store.sources.rotateSecret('org-a', id, {
    serverSecret: `${serverSecret}-2`,
    overlapUntil: clock.now() + 1_000
  })
  await store.guestTokens.set('key', {
    token: guestToken,
    clientId: 'client',
    mintedAt: clock.now(),
    expiresAt: clock.now() + 1_000
  })
  const session = aSession(user.id, clock, { refreshDigest: sha256Hex(refreshId) })
  await store.sessions.start(session)

  const text = await dump(database)
  t.match(text, pipelineKey, 'the dump shows what is stored')
  t.match(text, sha256Hex(refreshId))
  for (const secret of [serverSecret, guestToken, refreshId]) {
    for (
      const form of [secret, secret.slice(0, 12), Buffer.from(secret).toString('hex'),
        Buffer.from(secret).toString('base64').slice(0, 14)]
    ) {
      t.notMatch(text, form)
    }
  }
  t.equal(
    (await store.sources.resolve(pipelineKey))?.secrets[1]?.value.toString(),
    serverSecret,
    'the store can open it'
  )
  t.equal((await store.guestTokens.get('key'))?.token, guestToken)
})

t.test('a sealed server secret that was altered or copied from another row is UNAVAILABLE and not used', async (t) => {
  const database = await emptyDatabase()
  const store = sqlStore(database, { secretsKeys, cacheTtl: 0 })
  const mine = await store.sources.create(aSource({ serverSecret: 'x9Wq-of-an-attacker-7Tz' }))
  const theirs = await store.sources.create(aSource({ orgId: 'org-b', serverSecret }))
  const { db } = database
  const read = async (
    id: string
  ) => (await db.selectFrom('server_secrets').selectAll().where('source_id', '=', id).executeTakeFirstOrThrow())
  const [own, foreign] = [await read(mine.id), await read(theirs.id)]

  const altered = [own.sealed, foreign.sealed.slice(0, -2), `${foreign.sealed}A`, foreign.sealed.replace('v1', 'v2'),
    '', 'x', serverSecret]
  for (const sealed of altered) {
    await db.updateTable('server_secrets').set({ sealed }).where('id', '=', foreign.id).execute()
    await t.rejects(
      async () => await store.sources.resolve(theirs.pipelineKey),
      { code: 'UNAVAILABLE' },
      sealed.slice(0, 12)
    )
  }
  await db.updateTable('server_secrets').set({ sealed: foreign.sealed }).where('id', '=', foreign.id).execute()
  t.equal((await store.sources.resolve(theirs.pipelineKey))?.secrets[0]?.value.toString(), serverSecret)
  await db.deleteFrom('server_secrets').where('id', '=', foreign.id).execute()
  await db.updateTable('server_secrets').set({ source_id: theirs.id }).where('id', '=', own.id).execute()
  await t.rejects(
    async () => await store.sources.resolve(theirs.pipelineKey),
    { code: 'UNAVAILABLE' },
    'a row moved to another source'
  )
})

t.test('after a rotation of SECRETS_KEY the old key still opens secrets, and is not needed after ' +
  'a sweep', async (t) => {
  const database = await emptyDatabase()
  const { id, pipelineKey } = await sqlStore(database, { secretsKeys: [oldKey] }).sources.create(
    aSource({ serverSecret })
  )
  const secretWith = async (keys: string[]) =>
    (await sqlStore(database, { secretsKeys: keys }).sources.resolve(pipelineKey))?.secrets[0]?.value.toString()

  t.equal(await secretWith([newKey, oldKey]), serverSecret)
  await t.rejects(secretWith([newKey]), {
    code: 'UNAVAILABLE',
    cause: { message: /^token-store: "secretsKeys" \(SECRETS_KEY\) cannot open the secret of source \S+: / }
  })
  await sqlStore(database, { secretsKeys: [newKey, oldKey] }).sweep({ auditRetention: 1_000 })
  t.equal(await secretWith([newKey]), serverSecret)
  t.equal((await sqlStore(database, { secretsKeys: [newKey] }).sources.get('org-a', id))?.pipelineKey, pipelineKey)
})

t.test('the secret of an authenticator app is sealed for its user, and sealed again after a rotation', async (t) => {
  const database = await emptyDatabase()
  const { db } = database
  const store = sqlStore(database, { secretsKeys: [oldKey] })
  const [ann, bob] = [await aUser(store), await aUser(store)]
  const totpSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  await store.factors.proposeTotp(ann.id, totpSecret)
  await store.factors.confirmTotp(ann.id, { secret: totpSecret, step: 1, recoveryDigests: ['a digest'] })
  await store.factors.proposeTotp(ann.id, `${totpSecret}2`)
  const text = await dump(database)
  t.match(text, 'a digest', 'the dump shows what is stored')
  t.notMatch(text, totpSecret.slice(0, 12))
  await sqlStore(database, { secretsKeys: [newKey, oldKey] }).sweep({ auditRetention: 1_000 })
  const { factors } = sqlStore(database, { secretsKeys: [newKey] })
  t.same([await factors.totpSecret(ann.id), await factors.proposedTotp(ann.id)], [totpSecret, `${totpSecret}2`])
  await db.updateTable('totp_factors').set({ user_id: bob.id }).execute()
  for (const read of [factors.totpSecret(bob.id), factors.proposedTotp(bob.id)]) {
    await t.rejects(read, { code: 'UNAVAILABLE' }, 'a row that was moved to another user')
  }
})

t.test('a secret that no key opens does not stop the rest of the sweep or the sealing of other secrets', async (t) => {
  const database = await emptyDatabase()
  const clock = manualClock()
  await sqlStore(database, { secretsKeys: ['a key that was lost, to the grief of many'] }).sources.create(aSource())
  const { pipelineKey } = await sqlStore(database, { secretsKeys: [oldKey] }).sources.create(aSource({ serverSecret }))
  const store = sqlStore(database, { secretsKeys: [newKey, oldKey], now: clock.now })
  const user = await aUser(store)
  await store.sessions.start(aSession(user.id, clock, { endsAt: clock.now() + 1_000 }))
  await store.claim('nonce', 1_000)
  await store.audit.append([anEntry({ timestamp: clock.now() })])
  await clock.advance(10_000)
  await t.rejects(store.sweep({ auditRetention: 5_000 }), { code: 'UNAVAILABLE' }, 'the sweep reports the failure')
  for (const table of ['sessions', 'claims', 'audit_log'] as const) {
    t.same(await database.db.selectFrom(table).selectAll().execute(), [], table)
  }
  const later = sqlStore(database, { secretsKeys: [newKey] })
  t.equal((await later.sources.resolve(pipelineKey))?.secrets[0]?.value.toString(), serverSecret)
})

t.test('a missing or weak key, or a cacheTtl above 5 s, is an error that names the option', async (t) => {
  const database = await emptyDatabase()
  for (const keys of [[], [''], ['short'], ['a'.repeat(64)], [newKey, 'short']]) {
    t.throws(() => sqlStore(database, { secretsKeys: keys }), { code: 'INVALID_OPTIONS', message: /"secretsKeys/ })
  }
  t.throws(() => sqlStore(database, { secretsKeys: 'text' as never }), { code: 'INVALID_OPTIONS' })
  for (const cacheTtl of [-1, 5_001, NaN]) {
    t.throws(() => sqlStore(database, { secretsKeys, cacheTtl }), { code: 'INVALID_OPTIONS', message: /"cacheTtl"/ })
  }
})

t.test('all data is available after the folder was closed and opened again', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'token-store-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const clock = manualClock(Date.now())

  const first = await openDatabase({ dataDir })
  const before = sqlStore(first, { secretsKeys })
  const user = await aUser(before)
  const source = await before.sources.create(aSource({ serverSecret }))
  const session = aSession(user.id, clock)
  await before.sessions.start(session)
  await before.sessions.rotate({
    sessionId: session.id,
    presented: 'digest-1',
    next: 'digest-2',
    grace: 0,
    sealedSuccessor: null
  })
  await before.claim('nonce', 60_000)
  await before.close()
  t.equal(
    (await before.users.get(user.id))?.id,
    user.id,
    "closing the store leaves the caller's database open"
  )
  await t.rejects(openDatabase({ dataDir }), { message: /locked|in use|another/i }, 'a second process is refused')
  await first.close()
  await t.rejects(before.claim('other', 1_000), { code: 'UNAVAILABLE' }, 'a closed database is an unavailable backend')

  const second = await openDatabase({ dataDir })
  t.teardown(() => second.close())
  const after = sqlStore(second, { secretsKeys })
  t.same(await after.sources.get('org-a', source.id), source)
  t.equal((await after.sources.resolve(source.pipelineKey))?.secrets[0]?.value.toString(), serverSecret)
  t.equal(await after.claim('nonce', 60_000), false)
  t.equal(
    (await after.sessions.rotate({
      sessionId: session.id,
      presented: 'digest-1',
      next: 'x',
      grace: 0,
      sealedSuccessor: null
    })).outcome,
    'reused',
    'the used refresh token is detected'
  )
})
