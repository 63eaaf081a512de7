import { Resolver } from 'node:dns/promises'

import { UNAVAILABLE } from '../../../lib/errors.js'

/** Milliseconds per try, of which there are two. */
const TIMEOUT = 2_000
const NO_RECORD = new Set(['ENODATA', 'ENOTFOUND'])

/** Returns the TXT record that proves a domain. */
export function txtRecordOf ({ domain, token }: { domain: string, token: string }): { name: string, value: string } {
  return { name: `_gatehouse.${domain}`, value: `gatehouse-domain-verification=${token}` }
}

/**
 * Returns a function that looks up whether a domain has its TXT record. The function rejects with `UNAVAILABLE` if the
 * name servers do not respond.
 *
 * @param nameServers addresses with optional ports; empty for those of the system
 */
export function domainProof (
  nameServers: readonly string[]
): (domain: { domain: string, token: string }) => Promise<boolean> {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: 2 })
  if (nameServers.length > 0) resolver.setServers(nameServers)

  return async function isProved (domain) {
    const { name, value } = txtRecordOf(domain)
    try {
      // A long record arrives in several strings.
      return (await resolver.resolveTxt(name)).some((strings) => strings.join('') === value)
    } catch (cause) {
      if (NO_RECORD.has((cause as NodeJS.ErrnoException).code ?? '')) return false
      throw new UNAVAILABLE({
        message: 'The name servers of the domain do not respond; try again later',
        retryAfterSeconds: 60,
        reason: 'DNS',
        cause
      })
    }
  }
}
