import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { RoleRules, SsoPolicy } from '../../../contracts/token-store/index.js'
import { parseUrl } from '../../../signing/parse-url.js'
import { SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { domainNameOf } from './domain-name.js'

/** An email domain that the host's operator vouches for. */
export interface ConfiguredDomain {
  /** Such as `example.com`; subdomains are domains of their own. */
  domain: string
  /** The organisation that may log in its users. */
  orgId: string
  /** `'required'` switches off the passwords of the domain's users, except of owners. Default: `'optional'`. */
  sso?: SsoPolicy
}

/** An identity provider that the host configures. The admin API shows and changes only those of its own. */
export interface ConfiguredProvider {
  /** Part of the URLs that are entered at the provider: letters, digits, `-` and `_`, at most 64. */
  id: string
  orgId: string
  /** As the login page shows it. */
  name: string
  /** Settings of the protocol, as in the admin API. */
  settings: Record<string, unknown>
  /** Client secrets or private keys, `[current, …previous]`. Default: none. */
  secrets?: readonly string[]
  /** How claims become a role. Default: every person is a `viewer`. */
  roles?: RoleRules
}

/** The options that the plugins for single sign-on share. In one app they must be equal. */
export interface SsoOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin`. */
  prefix?: string
  /** The URL at which browsers and providers reach the app, such as `https://gate.example.com`. */
  publicUrl: string
  /**
   * The page that finishes a login, a URL or a path of `publicUrl`. It receives `#sso=<code>` or `#sso_error=<code>`,
   * and must be of the same site as `publicUrl`, because the code works only with a cookie.
   */
  loginPage: string
  /** Email domains that the operator vouches for. Default: none, only domains that organisations prove in DNS. */
  domains?: readonly ConfiguredDomain[]
  /** Addresses of the name servers that look up proofs, such as `192.0.2.53:53`. Default: those of the system. */
  nameServers?: readonly string[]
  /** Maximum identity providers per organisation. Default: 20. */
  providerQuota?: number
  /** Maximum email domains per organisation. Default: 100. */
  domainQuota?: number
  /** Maximum requests per client address on the routes of logins. Default: 60 per minute. */
  loginRateLimit?: RateLimitOptions
  /** Maximum requests per user on the other routes. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
}

/** All names of `SsoOptions`. */
export const SSO_OPTIONS: KnownOptions<SsoOptions> = {
  ...SCOPE_OPTIONS,
  publicUrl: true,
  loginPage: true,
  domains: true,
  nameServers: true,
  providerQuota: true,
  domainQuota: true,
  loginRateLimit: true,
  userRateLimit: true
}

/** The checked options, with their defaults. */
export interface SsoSettings {
  prefix: string
  publicUrl: string
  loginPage: string
  domains: ReadonlyMap<string, { orgId: string, sso: SsoPolicy }>
  nameServers: readonly string[]
  providerQuota: number
  domainQuota: number
  loginRateLimit: RateLimitOptions
  userRateLimit: RateLimitOptions
  now: () => number
}

const DOMAIN_MEMBERS: KnownOptions<ConfiguredDomain> = { domain: true, orgId: true, sso: true }
const MINUTE = 60_000

/** Throws `INVALID_OPTIONS`, in the name of the plugin. */
export function ssoSettingsOf (plugin: string, options: SsoOptions): SsoSettings {
  const {
    prefix = '/v1/admin',
    now = Date.now,
    providerQuota = 20,
    domainQuota = 100,
    nameServers = [],
    loginRateLimit = { max: 60, timeWindow: MINUTE },
    userRateLimit = { max: 100, timeWindow: MINUTE }
  } = options
  const publicUrl = webUrl(plugin, 'publicUrl', options.publicUrl, undefined).replace(/\/+$/, '')
  const loginPage = webUrl(plugin, 'loginPage', options.loginPage, `${publicUrl}/`)
  assertWholeNumber(plugin, 'providerQuota', providerQuota)
  assertWholeNumber(plugin, 'domainQuota', domainQuota)
  const domains = domainsOf(plugin, options.domains ?? [])
  return {
    prefix,
    publicUrl,
    loginPage,
    domains,
    nameServers,
    providerQuota,
    domainQuota,
    loginRateLimit,
    userRateLimit,
    now
  }
}

function webUrl (plugin: string, name: string, value: unknown, base: string | undefined): string {
  const text = typeof value === 'string' ? value : ''
  const url = parseUrl(base !== undefined && text.startsWith('/') ? new URL(base).origin + text : text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hash !== '' || url.username !== '') {
    const path = base === undefined ? '' : ', or a path such as /login'
    throw new INVALID_OPTIONS(
      `${plugin}: "${name}" must be an http or https URL without a fragment and a user${path}`
    )
  }
  return url.href
}

function domainsOf (plugin: string, domains: readonly ConfiguredDomain[]): SsoSettings['domains'] {
  if (!Array.isArray(domains)) throw new INVALID_OPTIONS(`${plugin}: "domains" must be a list of { domain, orgId }`)
  return new Map(domains.map((entry: ConfiguredDomain, at) => {
    refuseUnknownMembers(plugin, `domains[${at}].`, entry, DOMAIN_MEMBERS)
    const { domain, orgId, sso = 'optional' } = entry
    const name = domainNameOf(domain)
    if (name === null || typeof orgId !== 'string' || orgId === '' || !['optional', 'required'].includes(sso)) {
      throw new INVALID_OPTIONS(
        `${plugin}: "domains[${at}]" must have a "domain" such as example.com, an "orgId", and "sso" optional or required`
      )
    }
    return [name, { orgId, sso }]
  }))
}
