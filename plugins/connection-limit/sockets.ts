import { Server as HttpServer, STATUS_CODES } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Server, Socket } from 'node:net'

import { clientNetwork, plainAddress } from '../../lib/http/client-address.js'
import { INVALID_OPTIONS, TOO_MANY_CONNECTIONS } from '../../lib/errors.js'
import { envelope } from '../../lib/refuse.js'
import { Tally } from './tally.js'

const LIMITED: unique symbol = Symbol.for('fastify-gatehouse.sockets-limited') as never

const BODY = envelope(new TOO_MANY_CONNECTIONS())
const REFUSAL = [
  `HTTP/1.1 429 ${STATUS_CODES[429]}`,
  'Connection: close',
  'Content-Type: application/json; charset=utf-8',
  'Cache-Control: no-store',
  'Retry-After: 1',
  `Content-Length: ${Buffer.byteLength(BODY)}`,
  '',
  BODY
].join('\r\n')

export interface SocketLimit {
  /** Number of peers with open sockets. */
  readonly size: number
  /** Stops counting new sockets. */
  end(): void
}

/** Limits the open sockets per peer (IPv6: per /64) of a server. Returns `null` if another registration limits them. */
export function limitSockets (
  server: Server & { [LIMITED]?: boolean },
  max: number,
  exempt: BlockList
): SocketLimit | null {
  if (server[LIMITED] === true) return null
  server[LIMITED] = true
  const tally = new Tally()
  // A TLS or HTTP/2 client cannot read a plain HTTP/1 response.
  const refusal = server instanceof HttpServer ? REFUSAL : null

  function countSocket (socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    const family = isIP(address)
    // Ignores a socket that has already closed, and a Unix socket.
    if (socket.destroyed || family === 0 || exempt.check(address, family === 6 ? 'ipv6' : 'ipv4')) return
    const peer = clientNetwork(address)
    if (tally.take(peer, max)) socket.once('close', () => tally.release(peer))
    else refuseSocket(socket, refusal)
  }

  server.on('connection', countSocket)
  return {
    get size () {
      return tally.size
    },
    end () {
      server.off('connection', countSocket)
      server[LIMITED] = false
    }
  }
}

/**
 * Sends the refusal and destroys the socket without reading: waiting for an orderly close would keep the socket open.
 */
function refuseSocket (socket: Socket, refusal: string | null): void {
  socket.on('error', ignore)
  if (refusal === null) socket.destroy()
  else socket.write(refusal, () => socket.destroy())
}

function ignore (): void {}

/** Parses addresses and networks such as `10.0.0.0/8` into a `BlockList`. Throws `INVALID_OPTIONS`. */
export function addressList (entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = String(entry).split('/')
    const family = isIP(address)
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix)
    const isLegal = family !== 0 && rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix)) &&
      bits <= (family === 4 ? 32 : 128)
    if (!isLegal) {
      throw new INVALID_OPTIONS(
        'connection-limit: "exemptPeers" must list addresses and networks such as 10.0.0.0/8; ' +
          `got ${JSON.stringify(entry)}`
      )
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
