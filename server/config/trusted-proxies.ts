import { BlockList, isIPv6 } from 'node:net'

import { plainAddress } from '../../lib/http/client-address.js'

/** The names that Fastify has for networks, which `TRUST_PROXY` accepts as well. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
}

/**
 * Fastify's `trustProxy` for a list of addresses and networks. Fastify's own reading of such a list does not recognise a proxy that the
 * next proxy wrote with its port (`10.0.0.2:50123`), and would take that proxy for the client.
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
