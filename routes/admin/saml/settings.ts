import { X509Certificate } from 'node:crypto'

import { providerUrl } from '../../../lib/identity-provider/provider-url.js'
import type { SamlSettings, SamlSettingsBody } from '../../../schemas/admin-saml.js'
import { invalidSetting, readCertificate, readPrivateKey } from './certificates.js'
import { readMetadata } from './metadata-import.js'
import { InvalidMessage } from './xml.js'
import type { ParseXml } from './xml.js'

const DEFAULT_SKEW_SECONDS = 60

/**
 * Returns the settings to store for those of a body. `metadata_xml` replaces the login URL, the entity id and the
 * certificates of the provider, and adds the other settings that are not given. Certificates get the usual form of PEM.
 * Throws `INVALID_REQUEST`.
 */
export function completeSettings (parseXml: ParseXml, body: SamlSettingsBody): Record<string, unknown> {
  const { metadata_xml: xml, ...given } = body
  const settings = xml === undefined ? given : merged(given, imported(parseXml, xml))
  for (const name of ['entry_point', 'idp_entity_id', 'certificates'] as const) {
    if (settings[name] === undefined) {
      throw invalidSetting(`/settings/${name}`, 'is required, here or in "metadata_xml"')
    }
  }
  return { ...settings, ...normalized(settings, 'certificates'), ...normalized(settings, 'sp_certificates') }
}

function merged (given: SamlSettingsBody, { logout_url, logout_binding, ...found }: SamlSettings): SamlSettingsBody {
  const { entry_point, idp_entity_id, certificates } = found
  const logout = logout_url === undefined || given.logout_url !== undefined
    ? {}
    : { logout_url, logout_binding: logout_binding ?? 'redirect' }
  return { ...found, ...logout, ...given, entry_point, idp_entity_id, certificates }
}

function imported (parseXml: ParseXml, xml: string): SamlSettings {
  try {
    return readMetadata(parseXml, xml)
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error
    throw invalidSetting('/settings/metadata_xml', error.message)
  }
}

function normalized (
  settings: SamlSettingsBody,
  name: 'certificates' | 'sp_certificates'
): Partial<Record<'certificates' | 'sp_certificates', string[]>> {
  const list = settings[name]
  if (list === undefined) return {}
  return { [name]: list.map((pem, index) => readCertificate(pem, `/settings/${name}/${index}`).toString()) }
}

/** Throws `INVALID_REQUEST` for settings that the schema accepts but that cannot work. */
export function checkSettings (settings: SamlSettings): void {
  for (const name of ['entry_point', 'logout_url'] as const) {
    const url = settings[name]
    if (url !== undefined && providerUrl(url, true) === null) {
      throw invalidSetting(`/settings/${name}`, 'must be an https URL without a user name')
    }
  }
  for (const name of ['certificates', 'sp_certificates'] as const) {
    settings[name]?.forEach((pem, index) => readCertificate(pem, `/settings/${name}/${index}`))
  }
}

/** Throws `INVALID_REQUEST` for a private key that is missing or that no certificate in the settings belongs to. */
export function checkSecret (
  secret: string | null,
  { sign_requests: signs, sp_certificates: own }: SamlSettings
): void {
  if (secret === null) {
    if (signs === true) throw invalidSetting('/secret', 'is required to sign requests')
    return
  }
  const key = readPrivateKey(secret)
  if (!(own ?? []).some((pem) => new X509Certificate(pem).checkPrivateKey(key))) {
    throw invalidSetting('/secret', 'must be the key of a certificate in "sp_certificates"')
  }
}

/** Names the certificates that have expired or are not yet valid. They work: see `readCertificate`. */
export function certificateWarnings (settings: SamlSettings, now: number): string[] {
  return (['certificates', 'sp_certificates'] as const).flatMap((name) =>
    (settings[name] ?? []).flatMap((pem, index) => {
      const { validFrom, validTo } = new X509Certificate(pem)
      if (Date.parse(validTo) <= now) return [`${name}/${index} has expired on ${isoDate(validTo)}`]
      return Date.parse(validFrom) > now ? [`${name}/${index} is not valid before ${isoDate(validFrom)}`] : []
    })
  )
}

function isoDate (text: string): string {
  return new Date(text).toISOString().slice(0, 10)
}

/** Returns the accepted difference of the clocks in milliseconds. */
export function skewOf ({ clock_skew_seconds: seconds = DEFAULT_SKEW_SECONDS }: SamlSettings): number {
  return seconds * 1_000
}
