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

export interface SocketCap {
  /** Peers with open sockets. */
  readonly size: number
  /** Lets new sockets alone from here on. */
  end (): void
}

/** Caps how many sockets of one peer (IPv6: its /64) a server has open; `null` if another registration does so already. */
export function capSockets (server: Server & { [LIMITED]?: boolean }, max: number, exempt: BlockList): SocketCap | null {
  if (server[LIMITED] === true) return null
  server[LIMITED] = true
  const tally = new Tally()
  // What speaks TLS, or HTTP/2, could make nothing of an answer in plain HTTP/1.
  const farewell = server instanceof HttpServer ? REFUSAL : null

  function countSocket (socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    const family = isIP(address)
    // Gone before it was looked at, or no socket of a network.
    if (socket.destroyed || family === 0 || exempt.check(address, family === 6 ? 'ipv6' : 'ipv4')) return
    const peer = clientNetwork(address)
    if (tally.take(peer, max)) socket.once('close', () => tally.release(peer))
    else turnAway(socket, farewell)
  }

  server.on('connection', countSocket)
  return {
    get size () { return tally.size },
    end () {
      server.off('connection', countSocket)
      server[LIMITED] = false
    }
  }
}

/** Before anything of it is read. Waiting for it to close in order would be one more socket to hold. */
function turnAway (socket: Socket, farewell: string | null): void {
  socket.on('error', ignore)
  if (farewell === null) socket.destroy()
  else socket.write(farewell, () => socket.destroy())
}

function ignore (): void {}

/** Addresses and networks such as `10.0.0.0/8`, as one list that can be asked. */
export function addressList (texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', prefix, ...rest] = String(text).split('/')
    const family = isIP(address)
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix)
    const isLegal = family !== 0 && rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix)) && bits <= (family === 4 ? 32 : 128)
    if (!isLegal) throw new INVALID_OPTIONS(`connection-limit: "exemptPeers" must hold addresses and networks such as 10.0.0.0/8, not ${JSON.stringify(text)}`)
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
