import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'

interface Client { readonly address: string, readonly network: string }

const NONE: Client = { address: '', network: '' }
/** Enough for brackets, an IPv6 address with a zone, and a port. */
const MAX_LENGTH = 100
/** RFC 7239 lets a proxy obfuscate a port like an address: with a leading underscore. */
const PORT = '(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]+))?'
const IPV4 = new RegExp(`^([0-9.]{7,15})${PORT}$`)
const IN_BRACKETS = new RegExp(`^\\[([^\\]]+)\\]${PORT}$`)

/** An access provider assigns at least a /64 network to one customer. */
const CLIENT_BITS = 64

const UNSPECIFIED = ['0.0.0.0', '::']

// One entry per spelling: a proxy that adds the port creates a new spelling per connection.
const clients = new LRUCache<string, Client>(atMost(10_000))

/**
 * Returns the canonical address in a string of a socket or proxy, without port, zone and IPv4-mapped form. Returns the
 * empty string without an address: for a client that has disconnected, and for placeholders of proxies (`unknown`,
 * `_hidden`).
 *
 * @example
 * plainAddress('203.0.113.9:50123')      // '203.0.113.9'
 * plainAddress('[2001:DB8:0::1]:50123')  // '2001:db8::1'
 * plainAddress('::ffff:192.0.2.7')       // '192.0.2.7'
 * plainAddress('unknown')                // ''
 */
export function plainAddress (text: string | undefined): string {
  return clientIn(text).address
}

/**
 * Returns whether a claimed address is `0.0.0.0` or `::`, with which a client requests that its address is not stored.
 *
 * @example
 * isUnspecified('::ffff:0.0.0.0')  // true
 */
export function isUnspecified (ip: unknown): boolean {
  return typeof ip === 'string' && UNSPECIFIED.includes(plainAddress(ip))
}

/**
 * Returns the network of an address that counts as one client: the IPv4 address, or the /64 of an IPv6 address, which
 * one customer gets. Empty without an address. For a request, use `requestNetwork`.
 *
 * @example
 * clientNetwork('203.0.113.9:50123')  // '203.0.113.9'
 * clientNetwork('2001:db8::1')        // '2001:db8::/64'
 */
export function clientNetwork (text: string | undefined): string {
  return clientIn(text).network
}

/**
 * Returns the address of a request's client, for storage and display: from the socket, or from a trusted proxy. Empty
 * if there is no valid address (`unknown`, `_hidden`, a client that has disconnected).
 *
 * @example
 * const entry = { ipAddress: requestAddress(request) || null }
 */
export function requestAddress (request: FastifyRequest): string {
  return plainAddress(request.ip)
}

/**
 * Returns the network by which limits count a request: of its client or, if a proxy sends an invalid address, of the
 * socket's peer, so that invalid addresses do not evade limits. Empty on a Unix socket and for a disconnected client.
 *
 * @param ipv6Bits length of the IPv6 prefix that counts as one client. Default: 64
 * @example
 * const allowed = limit.take(requestNetwork(request))
 */
export function requestNetwork (request: FastifyRequest, ipv6Bits = CLIENT_BITS): string {
  if (ipv6Bits === CLIENT_BITS) return clientNetwork(request.ip) || clientNetwork(peerOf(request))
  const address = loggedAddress(request)
  return address.includes(':') ? ipv6Network(ipaddr.IPv6.parse(address), ipv6Bits) : address
}

/**
 * Returns the address for a log line: of the client, else of the socket's peer. Empty if neither is known.
 *
 * @example
 * log.info({ remoteAddress: loggedAddress(request) }, 'request completed')
 */
export function loggedAddress (request: FastifyRequest): string {
  return requestAddress(request) || plainAddress(peerOf(request))
}

function peerOf (request: FastifyRequest): string | undefined {
  return request.raw.socket.remoteAddress
}

/**
 * Returns whether the client closed its socket before its address was read. Limits by address do not count such a
 * request. A missing address alone is not enough, because a Unix socket never has one.
 *
 * @example
 * if (requestNetwork(request) === '' && hasLeft(request)) return done()
 */
export function hasLeft (request: FastifyRequest): boolean {
  const ip: string | undefined = request.ip
  return ip === undefined && request.raw.socket.destroyed
}

function clientIn (text: string | undefined): Client {
  if (text === undefined || text.length > MAX_LENGTH) return NONE
  let client = clients.get(text)
  if (client === undefined) clients.set(text, client = read(text.trim()))
  return client
}

function read (text: string): Client {
  const [, ipv4] = IPV4.exec(text) ?? []
  if (ipv4 !== undefined) return ipaddr.IPv4.isValidFourPartDecimal(ipv4) ? { address: ipv4, network: ipv4 } : NONE
  const [ipv6 = ''] = (IN_BRACKETS.exec(text)?.[1] ?? text).split('%')
  if (!ipaddr.IPv6.isValid(ipv6)) return NONE
  const parsed = ipaddr.IPv6.parse(ipv6)
  if (parsed.isIPv4MappedAddress()) {
    const mapped = parsed.toIPv4Address().toString()
    return { address: mapped, network: mapped }
  }
  return { address: parsed.toString(), network: ipv6Network(parsed, CLIENT_BITS) }
}

function ipv6Network ({ parts }: ipaddr.IPv6, bits: number): string {
  // Keeps only the bits of each 16-bit part that are within the prefix.
  const prefix = parts.map((part, at) => part & (0xffff_0000 >> Math.min(16, Math.max(0, bits - at * 16))))
  return `${new ipaddr.IPv6(prefix).toString()}/${bits}`
}
