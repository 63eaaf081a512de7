import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import { openDatabase } from '../../lib/database/open-database.js'
import eventSink from '../../plugins/event-sink/index.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import type { ReadableEventSink } from '../../contracts/event-sink.js'
import type { TokenStore } from '../../contracts/token-store/index.js'
import ingestion from '../../routes/ingestion/index.js'

export interface ReplayingGateway {
  app: FastifyInstance
  store: TokenStore
  sink: ReadableEventSink
  close(): Promise<void>
}

/** The ingestion routes on a PostgreSQL, whose store sees a clock that is `ahead` milliseconds ahead. */
export async function replayingGateway (url: string, ahead = 0): Promise<ReplayingGateway> {
  const database = await openDatabase({ url })
  const store = sqlStore(database, { secretsKeys: ['k7Qd-2mVx9_pLw4ZtR8yBn3Hs6Jf1Gc0'], now: () => Date.now() + ahead })
  const sink = await sqlSink(database)
  const app = Fastify()
  await app.register(tokenStore, { store, sweepEvery: 0 })
  await app.register(eventSink, { sink })
  await app.register(ingestion, { rateLimit: false, eventRate: false })
  await app.ready()
  return {
    app,
    store,
    sink,
    async close () {
      await app.close()
      await database.close()
    }
  }
}

/** Returns the ids of some refused events that were not replayed. */
export async function unreplayed ({ store }: ReplayingGateway, orgId: string, limit: number): Promise<string[]> {
  const { data } = await store.refusedEvents.list(orgId, { replayed: false }, { limit })
  return data.map(({ id }) => id)
}
