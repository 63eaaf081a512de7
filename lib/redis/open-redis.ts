import type { Redis } from 'ioredis'

import { waitAtMost } from '../deadline.js'
import { refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { RedisLink } from './link.js'
import type { RedisLinkOptions } from './link.js'

/** Options of `openRedis`. */
export interface OpenRedisOptions extends Pick<RedisLinkOptions, 'prefix' | 'commandTimeout' | 'onAway' | 'onBack'> {
  /** `redis://`, or `rediss://` for TLS, with user and password if Redis requires them. */
  url: string
}

/** An open Redis connection. */
export interface OpenedRedis {
  link: RedisLink
  /** Closes the connections. */
  close(): Promise<void>
}

const KNOWN: KnownOptions<OpenRedisOptions> = {
  url: true,
  prefix: true,
  commandTimeout: true,
  onAway: true,
  onBack: true
}
const FIRST_RESPONSE_TIMEOUT = 3_000
const MAX_RETRY_DELAY = 1_000

/**
 * Connects to Redis 6 or newer, or Valkey. If the server is unreachable, it keeps trying in the background.
 *
 * @throws an Error that says what to do when Redis refuses the credentials or the package `ioredis` is missing
 *
 * @example
 * const { link, close } = await openRedis({ url: 'redis://127.0.0.1:6379' })
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
    // Commands fail at once while Redis is unavailable, and no command is sent twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    // Replaces a connection whose peer is gone, and one to a master that has become a replica.
    socketTimeout: 5_000,
    reconnectOnError: (error) => error.message.includes('READONLY'),
    retryStrategy: (attempt) => Math.min(MAX_RETRY_DELAY, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2)
  })
  // `RedisLink` resubscribes, as errors of the client's own resubscription are unhandled.
  const subscriber = client.duplicate({ enableAutoPipelining: false, autoResubscribe: false })
  const link = new RedisLink({ client, subscriber, ...options })
  const connections = [client, subscriber]
  try {
    await Promise.all(connections.map(firstResponse))
  } catch (error) {
    for (const connection of connections) connection.disconnect()
    throw new Error(
      `Redis refused the connection; check "url" (REDIS_URL): ${error instanceof Error ? error.message : ''}`,
      { cause: error }
    )
  }
  return {
    link,
    async close () {
      link.close()
      for (const connection of connections) connection.disconnect()
    }
  }
}

/** Resolves when the client is connected or the server is unreachable. Rejects when the server refuses the client. */
async function firstResponse (connection: Redis): Promise<void> {
  let refusal: Error | undefined
  const note = (error: Error) => {
    if (/^(?:WRONGPASS|NOAUTH|NOPERM|ERR .*(?:AUTH|DB index))/.test(error.message)) refusal = error
  }
  connection.on('error', note)
  await waitAtMost(connection.connect().catch(note), FIRST_RESPONSE_TIMEOUT)
  connection.off('error', note)
  if (refusal !== undefined) throw refusal
}
