import { BlockList, isIP } from 'node:net'

import type { FastifyRequest } from 'fastify'

import { plainAddress } from './client-address.js'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
/** Headers that proxies add. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * Returns whether a program on this machine sent the request itself: the peer of the socket is a loopback address, and
 * no proxy has added a header. The `trustProxy` option has no influence.
 */
export function isDirectLoopback ({ raw: { socket }, headers }: FastifyRequest): boolean {
  const address = plainAddress(socket.remoteAddress)
  const family = isIP(address)
  return family !== 0 && LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4') &&
    FORWARDED.every((name) => headers[name] === undefined)
}
