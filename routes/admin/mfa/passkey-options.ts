import { isIP } from 'node:net'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertNonEmpty, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { parseUrl } from '../../../signing/parse-url.js'

/** The domain and origins of passkeys. */
export interface PasskeyOptions {
  /** The domain of the pages, such as `example.com`; passkeys are bound to it, so it must not change. No address. */
  rpId: string
  /** The name of the service, as browsers show it. Default: `rpId`. */
  rpName?: string
  /** The origins of the pages, each `rpId` or a subdomain of it: `https://console.example.com`. */
  origins: readonly string[]
}

const KNOWN: KnownOptions<PasskeyOptions> = { rpId: true, rpName: true, origins: true }
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** Throws `INVALID_OPTIONS`. */
export function passkeyOptionsOf (options: PasskeyOptions): Required<PasskeyOptions> {
  refuseUnknownMembers('adminMfa', 'passkeys.', options, KNOWN)
  const { rpId, rpName = rpId, origins } = options
  if (typeof rpId !== 'string' || !DOMAIN.test(rpId) || isIP(rpId) !== 0) {
    throw new INVALID_OPTIONS('admin-mfa: "passkeys.rpId" must be a domain in lower case, such as "example.com"')
  }
  assertNonEmpty('admin-mfa', 'passkeys.rpName', rpName)
  if (!Array.isArray(origins) || origins.length === 0 || !origins.every((origin) => isOriginOf(origin, rpId))) {
    throw new INVALID_OPTIONS(
      'admin-mfa: "passkeys.origins" must list origins of "passkeys.rpId" and its subdomains, with https: unless the ' +
        'host is localhost'
    )
  }
  return { rpId, rpName, origins }
}

function isOriginOf (origin: unknown, rpId: string): boolean {
  const url = typeof origin === 'string' ? parseUrl(origin) : null
  if (url === null) return false
  const { protocol, hostname, origin: own } = url
  if (own !== origin || (hostname !== rpId && !hostname.endsWith(`.${rpId}`))) return false
  return protocol === 'https:' || (protocol === 'http:' && (hostname === 'localhost' || hostname.endsWith('.localhost')))
}
