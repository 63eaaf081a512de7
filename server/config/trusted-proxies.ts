import { BlockList, isIPv6 } from 'node:net'

import { plainAddress } from '../../lib/http/client-address.js'

/** Named networks of Fastify, which `TRUST_PROXY` accepts too. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
}

/**
 * Returns Fastify's `trustProxy` function for a list of addresses and networks. Fastify's own list does not recognise a
 * proxy that the next proxy recorded with its port (`10.0.0.2:50123`), and would read that proxy as the client.
 *
 * @example
 * Fastify({ trustProxy: trustedProxies(['loopback', '10.0.0.0/8']) })
 */
export function trustedProxies (networks: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList()
  for (const network of networks.flatMap((name) => NAMED[name] ?? name)) {
    const [address = '', prefix] = network.split('/')
    const family = familyOf(address)
    trusted.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return function isTrusted (text) {
    const address = plainAddress(text)
    return address !== '' && trusted.check(address, familyOf(address))
  }
}

function familyOf (address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
