import t from 'tap'
import fastify from 'fastify'

import drain from '../../server/drain.js'
import health from '../../server/health.js'
import { openDatabase } from '../../lib/database/open-database.js'
import errorEnvelope from '../../plugins/error-envelope.js'
import eventSink from '../../plugins/event-sink/index.js'
import { memorySink } from '../../plugins/event-sink/memory/index.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import { generateSecret } from '../../signing/secret-strength/index.js'

t.test('/readyz reports the durability, and is 503 when the database is unavailable, while /healthz is 200', async (t) => {
  const database = await openDatabase({ memory: true })
  const app = fastify()
  t.teardown(async () => {
    await app.close()
    await database.close()
  })
  await app.register(errorEnvelope)
  await app.register(drain)
  await app.register(tokenStore, { store: sqlStore(database, { secretsKeys: [generateSecret()] }) })
  await app.register(eventSink, { sink: await sqlSink(database) })
  await app.register(health, { durability: 'process' })

  const ready = await app.inject('/readyz')
  t.equal(ready.statusCode, 200)
  t.match(ready.json(), { status: 'ready', durability: 'process', note: /a power cut can lose/ })
  t.equal(ready.headers['cache-control'], 'no-store')

  await database.close()
  const gone = await app.inject('/readyz')
  t.equal(gone.statusCode, 503)
  t.same(gone.json().error, { code: 'UNAVAILABLE', message: 'No response from the store and the event sink' })
  t.match(gone.headers['retry-after'], /^\d+$/)
  t.same((await app.inject('/healthz')).json(), { status: 'ok' })
})

t.test('a 503 of /readyz names the part that does not respond', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  await app.register(drain)
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(eventSink, {
    sink: { ...memorySink(), ready: () => Promise.reject(new Error('the words of a backend')) }
  })
  await app.register(health, { durability: 'none' })
  const answer = await app.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.same(answer.json(), { error: { code: 'UNAVAILABLE', message: 'No response from the event sink' } })
})
