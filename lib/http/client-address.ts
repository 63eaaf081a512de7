import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

interface Client { readonly address: string, readonly network: string }

const NONE: Client = { address: '', network: '' }
/** Enough for two brackets, an IPv6 address with its zone, and a port. */
const MAX_LENGTH = 100
/** RFC 7239 lets a proxy hide a port as it hides an address: behind an underscore. */
const PORT = '(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]+))?'
const IPV4 = new RegExp(`^([0-9.]{7,15})${PORT}$`)
const IN_BRACKETS = new RegExp(`^\\[([^\\]]+)\\]${PORT}$`)

/** One customer of an access provider gets at least this network. */
const CLIENT_BITS = 64

const UNSPECIFIED = ['0.0.0.0', '::']

// One entry per spelling: a proxy that adds the port writes a new one for each connection.
const clients = new LRUCache<string, Client>({ max: 10_000 })

/**
 * The address in what a socket or a proxy says, without its port, its zone and its IPv4-mapped form, in its canonical spelling. Empty
 * where there is none: for a client that has already gone, and for what a proxy writes in place of an address (`unknown`, `_hidden`).
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
 * Whether an address that a client claims is `0.0.0.0` or `::`, by which the client asks that its address is not kept.
 *
 * @example
 * isUnspecified('::ffff:0.0.0.0')  // true
 */
export function isUnspecified (ip: unknown): boolean {
  return typeof ip === 'string' && UNSPECIFIED.includes(plainAddress(ip))
}

/**
 * The network of an address that counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one customer gets. Empty where
 * there is no address. For a request use `requestNetwork`.
 *
 * @example
 * clientNetwork('203.0.113.9:50123')  // '203.0.113.9'
 * clientNetwork('2001:db8::1')        // '2001:db8::/64'
 */
export function clientNetwork (text: string | undefined): string {
  return clientIn(text).network
}

/**
 * The address of a request's client, as it is stored and shown: from the socket, or from what a trusted proxy says. Empty where that is no
 * address (`unknown`, `_hidden`, a client that has already gone).
 *
 * @example
 * const entry = { ipAddress: requestAddress(request) || null }
 */
export function requestAddress (request: FastifyRequest): string {
  return plainAddress(request.ip)
}

/**
 * The network by which limits count a request: that of its client or, where a proxy says something that is no address, that of the socket's
 * peer, so that a client gains nothing by such a text. Empty on a Unix socket, and for a client that has already gone.
 *
 * @param ipv6Bits the length of the prefix that counts as one client. Default: 64
 * @example
 * const allowed = limit.take(requestNetwork(request))
 */
export function requestNetwork (request: FastifyRequest, ipv6Bits = CLIENT_BITS): string {
  if (ipv6Bits === CLIENT_BITS) return clientNetwork(request.ip) || clientNetwork(peerOf(request))
  const address = loggedAddress(request)
  return address.includes(':') ? ipv6Network(ipaddr.IPv6.parse(address), ipv6Bits) : address
}

/**
 * The address that a log line shows: that of the client, else that of the socket's peer. Empty where there is neither.
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
 * Whether the client closed its socket before its address was read, so that nothing is known of it. Limits by address do not count such a
 * request. It is not enough that there is no address: a Unix socket has none.
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
  // Of each 16 bits those within the prefix are kept.
  const prefix = parts.map((part, at) => part & (0xffff_0000 >> Math.min(16, Math.max(0, bits - at * 16))))
  return `${new ipaddr.IPv6(prefix).toString()}/${bits}`
}
