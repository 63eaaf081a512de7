import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import type { Authenticator, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'

import { INVALID_OPTIONS } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { readNatsUrls } from './urls.js'

export interface NatsOptions {
  /**
   * The servers of one cluster, separated by commas or as a list: `nats://host:4222`, or `tls://host:4222`, which demands TLS. May carry
   * `user:password@` or `token@`, percent-encoded and the same in all.
   */
  url: string | readonly string[]
  /** What the broker calls this client in its reports. Default: `fastify-gatehouse`. */
  name?: string
  /** Instead of those in the URL. */
  user?: string
  password?: string
  token?: string
  /** A file with a JWT and its seed, as `nsc` makes it; read again at each reconnection, so that it can be renewed. */
  credsFile?: string
  /** Certificates, as paths (`caFile`, `certFile`, `keyFile`) or texts (`ca`, `cert`, `key`); an empty object demands TLS. */
  tls?: NonNullable<NodeConnectionOptions['tls']>
  /** What the subjects of answers begin with, for an account that may not subscribe to `_INBOX.>`. */
  inboxPrefix?: string
  /** Milliseconds until an attempt to connect is given up. Default: 5 000. */
  connectTimeout?: number
  /** Milliseconds between attempts to connect again, which never cease. Default: 500. */
  reconnectWait?: number
  /** Milliseconds between the pings by which a connection that died without a word is found out, at the third. Default: 5 000. */
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
 * Connects to a NATS broker, or to whichever of a cluster answers, and connects again for ever when that is lost.
 *
 * @throws an Error that names the servers and the reason, but no credentials, when none can be reached or all refuse
 */
export async function connectNats (options: NatsOptions): Promise<NatsConnection> {
  refuseUnknownMembers('connectNats', '', options, KNOWN)
  const { name = 'fastify-gatehouse', credsFile, tls, inboxPrefix, connectTimeout = 5_000, reconnectWait = 500, pingInterval = 5_000 } = options
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
    // Credentials that are refused once may be good again later: a client that gives up would need the process to be restarted.
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
    throw new Error(`NATS could not be reached at ${servers.join(', ')}: ${reasonOf(cause)}`, { cause })
  }
}

async function fromFile (file: string, authenticatorOf: (creds: Uint8Array) => Authenticator): Promise<Authenticator> {
  const first = await readFile(file).catch((cause: unknown) => { throw new INVALID_OPTIONS(`nats: "credsFile" can't be read: ${reasonOf(cause)}`) })
  let authenticate = authenticatorOf(first)
  return function authenticateAnew (nonce) {
    try {
      const renewed = authenticatorOf(readFileSync(file))
      const answer = renewed(nonce)
      authenticate = renewed
      return answer
    } catch {
      // Half written, or away for the moment: an error here would end the connection for good.
      return authenticate(nonce)
    }
  }
}

function reasonOf (error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}
