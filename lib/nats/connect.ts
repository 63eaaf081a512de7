import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import type { Authenticator, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'

import { INVALID_OPTIONS } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { readNatsUrls } from './urls.js'

/** Options of `connectNats`. */
export interface NatsOptions {
  /**
   * The servers of one cluster, comma-separated or as a list: `nats://host:4222`, or `tls://host:4222` to require TLS.
   * A URL may contain `user:password@` or `token@`, percent-encoded; all URLs must have the same credentials.
   */
  url: string | readonly string[]
  /** Name of this client in the broker's monitoring. Default: `fastify-gatehouse`. */
  name?: string
  /** User name. Default: from the URL. */
  user?: string
  /** Password. Default: from the URL. */
  password?: string
  /** Authentication token. Default: from the URL. */
  token?: string
  /** A credentials file with a JWT and its seed, from `nsc`. Read at each reconnection, so that it can be renewed. */
  credsFile?: string
  /** TLS certificates as paths (`caFile`, `certFile`, `keyFile`) or PEM (`ca`, `cert`, `key`); `{}` requires TLS. */
  tls?: NonNullable<NodeConnectionOptions['tls']>
  /** Prefix of the subjects of responses, for accounts that cannot subscribe to `_INBOX.>`. Default: `_INBOX`. */
  inboxPrefix?: string
  /** Timeout of one connection attempt, milliseconds. Default: 5 000. */
  connectTimeout?: number
  /** Delay between reconnection attempts, which never stop, milliseconds. Default: 500. */
  reconnectWait?: number
  /** Interval of pings, milliseconds. A connection that misses three is replaced. Default: 5 000. */
  pingInterval?: number
}

const KNOWN: KnownOptions<NatsOptions> = {
  url: true,
  name: true,
  user: true,
  password: true,
  token: true,
  credsFile: true,
  tls: true,
  inboxPrefix: true,
  connectTimeout: true,
  reconnectWait: true,
  pingInterval: true
}

/**
 * Connects to a NATS broker or to any broker of a cluster, and reconnects forever when the connection is lost.
 *
 * @throws an Error with the servers and the reason, without credentials, if no server accepts the connection
 *
 * @example
 * const connection = await connectNats({ url: 'nats://127.0.0.1:4222' })
 */
export async function connectNats (options: NatsOptions): Promise<NatsConnection> {
  refuseUnknownMembers('connectNats', '', options, KNOWN)
  const {
    name = 'fastify-gatehouse',
    credsFile,
    tls,
    inboxPrefix,
    connectTimeout = 5_000,
    reconnectWait = 500,
    pingInterval = 5_000
  } = options
  for (const [option, value] of Object.entries({ connectTimeout, reconnectWait, pingInterval })) {
    assertWholeNumber('nats', option, value, { unit: 'milliseconds' })
  }
  const { servers, credentials, demandsTls } = readNatsUrls(options.url)
  const { user = credentials.user, password = credentials.password, token = credentials.token } = options
  const nats = await importOptional('@nats-io/transport-node', () => import('@nats-io/transport-node'), 'NATS')
  const connection: NodeConnectionOptions = {
    servers,
    name,
    timeout: connectTimeout,
    pingInterval,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWait,
    reconnectJitter: Math.ceil(reconnectWait / 4),
    reconnectJitterTLS: Math.ceil(reconnectWait / 4),
    // Refused credentials may become valid again later; without this the client gives up until the process restarts.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(tls !== undefined || demandsTls ? { tls: tls ?? {} } : {}),
    ...(inboxPrefix !== undefined ? { inboxPrefix } : {}),
    ...(token !== undefined ? { token } : {}),
    ...(user !== undefined ? { user, pass: password ?? '' } : {}),
    ...(credsFile !== undefined ? { authenticator: await fromFile(credsFile, nats.credsAuthenticator) } : {})
  }
  try {
    return await nats.connect(connection)
  } catch (cause) {
    throw new Error(`Cannot connect to NATS at ${servers.join(', ')}: ${reasonOf(cause)}`, { cause })
  }
}

async function fromFile (file: string, authenticatorOf: (creds: Uint8Array) => Authenticator): Promise<Authenticator> {
  const first = await readFile(file).catch((cause: unknown) => {
    throw new INVALID_OPTIONS(`nats: "credsFile" cannot be read: ${reasonOf(cause)}`)
  })
  let authenticate = authenticatorOf(first)
  return function authenticateFromFile (nonce) {
    try {
      const renewed = authenticatorOf(readFileSync(file))
      const response = renewed(nonce)
      authenticate = renewed
      return response
    } catch {
      // The file may be incomplete or missing for a moment; throwing here would close the connection for good.
      return authenticate(nonce)
    }
  }
}

function reasonOf (error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}
