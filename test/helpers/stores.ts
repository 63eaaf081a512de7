import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

import type { EventLoad } from './event-load.js'
import { folderWithDatabase } from './database-folder.js'
import { privatePostgres } from './postgres.js'
import { temporaryFolder } from './server-process.js'
import type { Variables } from './server-process.js'

export const STORES = ['PGlite', 'PostgreSQL'] as const

/** A server that reports no requests, and whose limits a load does not run into. */
export const LOADED: Variables = {
  LOG_LEVEL: 'warn',
  INGEST_KEY_RATE_MAX: '0',
  INGEST_IP_RATE_MAX: '0',
  ADMIN_RATE_MAX: '1000000',
  HOST: '127.0.0.1'
}

export interface StoreOfServer {
  dataDir: string
  variables: Variables
}

/** A store for a built-in server that is started again and again; `null` where there is no PostgreSQL. */
export async function storeOfServer (t: Test, kind: typeof STORES[number]): Promise<StoreOfServer | null> {
  const postgres = kind === 'PostgreSQL' ? await privatePostgres(t) : undefined
  if (postgres === null) return null
  if (postgres === undefined) return { dataDir: await folderWithDatabase(t), variables: LOADED }
  return { dataDir: await temporaryFolder(t), variables: { ...LOADED, DATABASE_URL: postgres.url } }
}

export async function untilAcknowledged (load: EventLoad, count: number): Promise<void> {
  while (load.acknowledged.length < count) await sleep(5)
}
