import { INVALID_REQUEST } from '../../../lib/errors.js'
import { providerUrl } from '../../../lib/identity-provider/provider-url.js'
import { mayBePublic } from '../../../lib/upstream-client/public-address.js'
import type { OidcSettings } from '../../../schemas/admin-oidc.js'

/** The settings of a provider with their defaults. */
export type CompleteSettings =
  & Required<Omit<OidcSettings, 'tenant' | 'hosted_domain' | 'prompt'>>
  & Pick<OidcSettings, 'tenant' | 'hosted_domain' | 'prompt'>

const GOOGLE = 'https://accounts.google.com'
const ENTRA = /^login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)$/
/** Names in the place of a tenant, with which accounts of every tenant can log in. */
const ENTRA_SHARED = /^\/(?:common|organizations|consumers|%7Btenantid%7D)(?:\/|$)/i

/** Returns settings that `checkSettings` has accepted, with their defaults. */
export function completeSettings (settings: Readonly<Record<string, unknown>>): CompleteSettings {
  return {
    scopes: ['openid', 'email', 'profile'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'RS256',
    email_claim: 'email',
    email_verified_claim: 'email_verified',
    trust_email: false,
    trust_mfa: [],
    end_session: true,
    ...settings as OidcSettings
  }
}

/**
 * Throws `INVALID_REQUEST` for settings that match the schema but cannot work, or that would let other people in than
 * those of one organisation.
 *
 * @param rules.allowPrivate whether the issuer may be at an address that is not public, with http on loopback
 */
export function checkSettings (settings: Readonly<Record<string, unknown>>, rules: { allowPrivate: boolean }): void {
  const { issuer, scopes, hosted_domain: hostedDomain } = completeSettings(settings)
  const url = providerUrl(issuer, rules.allowPrivate)
  if (url === null || url.search !== '' || url.hash !== '') {
    throw invalidSetting('issuer', 'must be an https URL without a query')
  }
  if (!rules.allowPrivate && !mayBePublic(url.hostname)) throw invalidSetting('issuer', 'must be at a public address')
  if (!scopes.includes('openid')) throw invalidSetting('scopes', 'must contain openid')
  if (issuer === GOOGLE && hostedDomain === undefined) {
    throw invalidSetting('hosted_domain', 'is required for Google, where everybody can have an account')
  }
  if (ENTRA.test(url.hostname) && ENTRA_SHARED.test(url.pathname)) {
    throw invalidSetting('issuer', 'must contain the id of your tenant')
  }
}

/** Throws `INVALID_REQUEST` for a client secret that the settings exclude, and for a missing one. */
export function checkSecret (secret: string | null, settings: Readonly<Record<string, unknown>>): void {
  const isPublic = completeSettings(settings).token_endpoint_auth_method === 'none'
  if (isPublic && secret !== null) throw invalid('/secret', 'must be omitted with token_endpoint_auth_method none')
  if (!isPublic && (secret === null || secret === '')) throw invalid('/secret', 'is required')
}

function invalidSetting (name: keyof OidcSettings, message: string): Error {
  return invalid(`/settings/${name}`, message)
}

function invalid (path: string, message: string): Error {
  return new INVALID_REQUEST({ details: [{ path, message }] })
}
