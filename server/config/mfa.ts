import { isExactOrigin } from '../../lib/cors/exact-origin.js'
import { parseUrl } from '../../signing/parse-url.js'
import type { Environment } from './environment.js'
import type { Problems } from './problems.js'

/** Second factors of administrators. */
export interface MfaConfig {
  /** The name that authenticator apps and browsers show. */
  name: string
  /** Where passkeys are valid; `null`: on the pages of this machine, or nowhere in production. */
  passkeys: { rpId: string, origins: string[] } | null
}

/** Returns `null` if second factors are off. */
export function mfaOf (environment: Environment, problems: Problems): MfaConfig | null {
  const { MFA, MFA_NAME: name, MFA_RP_ID: id, MFA_ORIGINS: list } = environment
  if (MFA === 'off') return null
  if (list === undefined) {
    if (id !== undefined) problems.add('MFA_RP_ID', 'has no effect without MFA_ORIGINS; set MFA_ORIGINS too')
    return { name, passkeys: null }
  }
  const origins = list.split(',').map((origin) => origin.trim()).filter((origin) => origin !== '')
  const rpId = id ?? parseUrl(origins[0] ?? '')?.hostname ?? ''
  if (origins.length === 0 || !origins.every((origin) => isExactOrigin(origin) && isSecure(origin, rpId))) {
    problems.add(
      'MFA_ORIGINS',
      'must be a list of origins such as https://console.example.com, all of MFA_RP_ID or its subdomains, with https'
    )
  }
  return { name, passkeys: { rpId, origins } }
}

function isSecure (origin: string, rpId: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return (hostname === rpId || hostname.endsWith(`.${rpId}`)) && (protocol === 'https:' || hostname === 'localhost') &&
    !/^[\d.]+$|:/.test(hostname)
}
