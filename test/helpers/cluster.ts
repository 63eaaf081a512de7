import { randomBytes } from 'node:crypto'

import type { Test } from 'tap'

import { openDatabase } from '../../lib/database/open-database.js'
import { openRedis } from '../../lib/redis/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'
import { privatePostgres } from './postgres.js'
import { privateRedis } from './redis.js'
import type { PrivateRedis } from './redis.js'
import { startServerProcess, temporaryFolder } from './server-process.js'
import type { ServerProcess, Variables } from './server-process.js'
import { logIn, printedBy } from './server-session.js'
import { LOADED } from './stores.js'

/** What the instances share. */
export type ClusterMode = 'PostgreSQL' | 'PostgreSQL + Redis'
export const MODES: readonly ClusterMode[] = ['PostgreSQL', 'PostgreSQL + Redis']

export interface ClusterOptions {
  mode: ClusterMode
  /** How many servers. */
  instances: number
  /** Beside the shared secrets and the limits of `LOADED`. */
  variables?: Variables
}

export interface Cluster {
  mode: ClusterMode
  instances: readonly ServerProcess[]
  /** In turn, whatever the number. */
  at(index: number): ServerProcess
  /** The owner's. */
  password: string
  /** An access token of the owner. */
  token: string
  /** Of the first source. */
  pipelineKey: string
  /** A store in this process beside those of the servers, as one more instance would have it. */
  store: TokenStore
  /** Where the mode has one. */
  redis: PrivateRedis | undefined
  /** What every instance was started with. */
  variables: Variables & { USER_REFERENCE_KEY: string }
  /** Starts one more, with these beside the shared variables. */
  start(variables?: Variables): Promise<ServerProcess>
}

const secret = () => randomBytes(32).toString('base64url')

/**
 * Servers on one private PostgreSQL, and one private Redis, that start at the same time; `null` where there is none.
 */
export async function cluster (
  t: Test,
  { mode, instances: count, variables: given = {} }: ClusterOptions
): Promise<Cluster | null> {
  const postgres = await privatePostgres(t)
  const redis = mode === 'PostgreSQL + Redis' ? await privateRedis(t) : undefined
  if (postgres === null || redis === null) return null
  const secretsKey = secret()
  const variables = {
    ...LOADED,
    DATABASE_URL: postgres.url,
    JWT_SECRET: secret(),
    SECRETS_KEY: secretsKey,
    USER_REFERENCE_KEY: secret(),
    LOGIN_RATE_MAX: '1000000',
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    ...given
  }
  const start = async (more: Variables = {}) =>
    startServerProcess(t, await temporaryFolder(t), { ...variables, ...more })
  const instances = await Promise.all(Array.from({ length: count }, () => start()))
  const [first] = instances
  const { password, pipelineKey } = instances.map(printedBy).find((printed) => printed.password !== '') ??
    { password: '', pipelineKey: '' }
  if (first === undefined) throw new RangeError('a cluster has at least one instance')

  const database = await openDatabase({ url: postgres.url, maxConnections: 2 })
  const opened = redis === undefined ? undefined : await openRedis({ url: redis.url })
  const store = sqlStore(database, {
    secretsKeys: [secretsKey],
    ...(opened === undefined ? {} : { redis: opened.link })
  })
  t.teardown(async () => {
    await store.close()
    await opened?.close()
    await database.close()
  })
  return {
    mode,
    instances,
    at: (index) => instances[index % count] ?? first,
    password,
    pipelineKey,
    token: await logIn(first, password),
    store,
    redis,
    variables,
    start
  }
}
