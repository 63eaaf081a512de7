import { isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * An address without the IPv6 clothing that a dual-stack socket puts on IPv4; empty where there is none: a client that has gone before
 * its request was read, as a page that is left does, can no longer be asked for it.
 */
export function plainAddress (ip: string | undefined): string {
  return ip === undefined ? '' : MAPPED.exec(ip)?.[1] ?? ip
}

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets. */
export function clientNetwork (ip: string | undefined): string {
  const plain = plainAddress(ip)
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.replace(/%.*$/, '').toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const filled = [...groups, ...Array.from({ length: Math.max(missing, 0) }, () => '0'), ...(tail ?? '').split(':')]
  return `${filled.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
