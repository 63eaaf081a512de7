import { lookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { isIP } from 'node:net'

import ipaddr from 'ipaddr.js'

type Found = (error: Error | null, addresses: string | LookupAddress[], family?: number) => void

/**
 * Returns whether an address is public: not of this machine, a private network, a link or any other special range, in
 * no notation (IPv4-mapped and translated IPv6 addresses included).
 *
 * @example
 * isPublicAddress('169.254.169.254')  // false
 */
export function isPublicAddress (address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** Returns whether a host of a URL may be public: `false` for an address that is not, `true` for every name. */
export function mayBePublic (hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) === 0 || isPublicAddress(address)
}

/**
 * Looks a name up for `net.connect`, and keeps its public addresses only. The socket connects to what was checked, so a
 * second response of the DNS server changes nothing.
 */
export function publicLookup (hostname: string, options: LookupOptions, done: Found): void {
  lookup(hostname, { ...options, all: true }, function keepPublic (error, addresses) {
    if (error !== null) return done(error, [])
    const [first, ...others] = addresses.filter(({ address }) => isPublicAddress(address))
    if (first === undefined) {
      done(Object.assign(new Error('the name has no public address'), { code: 'ENOTPUBLIC' }), [])
    } else if (options.all === true) done(null, [first, ...others])
    else done(null, first.address, first.family)
  })
}
