import type { Redis } from 'ioredis'

import { waitAtMost } from '../deadline.js'
import { refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { RedisLink } from './link.js'
import type { RedisLinkOptions } from './link.js'

export interface OpenRedisOptions extends Pick<RedisLinkOptions, 'prefix' | 'commandTimeout' | 'onAway' | 'onBack'> {
  /** `redis://`, or `rediss://` for TLS, with user and password where Redis wants them. */
  url: string
}

export interface OpenedRedis {
  link: RedisLink
  close (): Promise<void>
}

const KNOWN: KnownOptions<OpenRedisOptions> = { url: true, prefix: true, commandTimeout: true, onAway: true, onBack: true }
const FIRST_ANSWER = 3_000
const LONGEST_RETRY = 1_000

/**
 * Connects to Redis 6 or newer, or Valkey. Where none can be reached just now it goes on trying in the background.
 *
 * @throws an Error that says what to do when Redis refuses the password or the package `ioredis` is missing
 */
export async function openRedis (redisOptions: OpenRedisOptions): Promise<OpenedRedis> {
  refuseUnknownMembers('openRedis', '', redisOptions, KNOWN)
  const { url, ...options } = redisOptions
  const { Redis } = await importOptional('ioredis', () => import('ioredis'), 'Redis')
  const client = new Redis(url, {
    connectionName: 'fastify-gatehouse',
    lazyConnect: true,
    connectTimeout: 2_000,
    keepAlive: 10_000,
    // Nothing waits for a Redis that is away, and nothing is sent twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    // A connection whose other end is gone without a word, and a master that has become a replica, are left for a new one.
    socketTimeout: 5_000,
    reconnectOnError: (error) => error.message.includes('READONLY'),
    retryStrategy: (attempt) => Math.min(LONGEST_RETRY, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2)
  })
  // Which subscribes anew by the link: what the client does by itself nobody catches when it fails.
  const subscriber = client.duplicate({ enableAutoPipelining: false, autoResubscribe: false })
  const link = new RedisLink({ client, subscriber, ...options })
  const connections = [client, subscriber]
  try {
    await Promise.all(connections.map(firstAnswer))
  } catch (error) {
    for (const connection of connections) connection.disconnect()
    throw new Error(`Redis refuses the connection, check REDIS_URL or "url": ${error instanceof Error ? error.message : ''}`, { cause: error })
  }
  return {
    link,
    async close () {
      link.close()
      for (const connection of connections) connection.disconnect()
    }
  }
}

/** Resolves once it is connected, or can't be for now; rejects when it is refused. */
async function firstAnswer (connection: Redis): Promise<void> {
  let refusal: Error | undefined
  const note = (error: Error) => { if (/^(?:WRONGPASS|NOAUTH|NOPERM|ERR .*(?:AUTH|DB index))/.test(error.message)) refusal = error }
  connection.on('error', note)
  await waitAtMost(connection.connect().catch(note), FIRST_ANSWER)
  connection.off('error', note)
  if (refusal !== undefined) throw refusal
}
