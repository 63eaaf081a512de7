import { sql } from 'kysely'
import t from 'tap'

import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { sourceKind } from '../../../plugins/token-store/redis/kinds.js'
import { aKey, aSource, aSourceKey } from '../../../conformance/token-store/fixtures.js'
import { emptyDatabase } from '../../helpers/pglite.js'

const secretsKeys = ['a key that seals what this test file stores']

t.test('a key that an earlier version has stored works, is listed with an id, and keeps it', async (t) => {
  const database = await emptyDatabase()
  const store = sqlStore(database, { secretsKeys })
  const { id, pipelineKey } = await store.sources.create(aSource())
  await sql`update pipeline_keys set id = null, added_at = null where key = ${pipelineKey}`.execute(database.db)
  t.equal((await store.sources.resolve(pipelineKey))?.source.id, id)
  const [own] = await store.sourceKeys.list('org-a', id) ?? []
  t.match(own?.id, /^pk_[0-9A-Za-z]{24}$/)
  t.equal(own?.createdAt, null)
  t.same((await store.sourceKeys.list('org-a', id))?.[0], own)
  const next = aKey()
  const rotated = await store.sourceKeys.rotate('org-a', id, own?.id ?? '', { pipelineKey: next, overlapUntil: 0 })
  t.match(rotated, { id: own?.id, pipelineKey: next })
})

t.test('a key that an earlier version has rotated is the previous key, also beside a named key', async (t) => {
  const database = await emptyDatabase()
  const store = sqlStore(database, { secretsKeys })
  const { id, pipelineKey } = await store.sources.create(aSource())
  const named = await store.sourceKeys.create('org-a', id, aSourceKey())
  const next = aKey()
  const until = new Date(Date.now() + 60_000)
  await sql`update pipeline_keys set id = null, expires_at = ${until} where key = ${pipelineKey}`.execute(database.db)
  await sql`insert into pipeline_keys (key, org_id, source_id) values (${next}, 'org-a', ${id})`.execute(database.db)
  const list = await store.sourceKeys.list('org-a', id)
  t.same(list?.map((key) => [key.pipelineKey, key.previous?.pipelineKey]), [[next, pipelineKey],
    [named?.pipelineKey, undefined]])
  t.equal((await store.sources.get('org-a', id))?.pipelineKey, next)
  t.equal((await store.sources.list('org-a', { limit: 10 })).data.length, 1)
})

t.test('a cached source that an earlier version has stored has the defaults of settings that it does not ' +
  'know', async (t) => {
  const store = sqlStore(await emptyDatabase(), { secretsKeys })
  const { pipelineKey } = await store.sources.create(aSource())
  const resolved = await store.sources.resolve(pipelineKey)
  if (resolved === null) throw new Error('expected a source')
  const older = JSON.parse(sourceKind.encode(resolved))
  for (const setting of ['keepRefused', 'dailyQuota', 'monthlyQuota']) delete older.source[setting]
  t.same(sourceKind.decode(JSON.stringify(older)), resolved)
  const { source } = sourceKind.decode(JSON.stringify(older))
  t.ok(Object.isFrozen(source) && Object.isFrozen(source.domains))
})
