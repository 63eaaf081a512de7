import type { FastifyInstance } from 'fastify'

import ingestion from '../routes/ingestion/index.js'
import type { Limits } from './config/index.js'

/** The ingestion gateway under the configured limits. */
export async function ingestionRoutes (
  app: FastifyInstance,
  { INGEST_IP_RATE_MAX, INGEST_KEY_RATE_MAX, WEBHOOK_LIMIT_BYTES }: Limits,
  botExceptions: readonly RegExp[]
): Promise<void> {
  await app.register(ingestion, {
    rateLimit: INGEST_IP_RATE_MAX === 0 ? false : { max: INGEST_IP_RATE_MAX, timeWindow: 1_000 },
    eventRate: INGEST_KEY_RATE_MAX === 0 ? false : { max: INGEST_KEY_RATE_MAX },
    webhookLimit: WEBHOOK_LIMIT_BYTES,
    bots: { except: botExceptions }
  })
}
