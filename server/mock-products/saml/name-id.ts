import { sha256Hex } from '../../../signing/digest.js'
import type { Person } from '../sign-in/people.js'
import { escapeXml } from './xml.js'

export const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
export const PERSISTENT_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
export const UNSPECIFIED_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'

/** The identifier of a person in SAML messages. */
export interface NameId {
  format: string
  value: string
}

/** Returns the name identifier of a person: the email address, or a pseudonym that each app receives differently. */
export function nameIdOf ({ id, email }: Person, format: string, spEntityId: string): NameId {
  if (format === EMAIL_FORMAT) return { format, value: email }
  return { format: PERSISTENT_FORMAT, value: sha256Hex(JSON.stringify([spEntityId, id])) }
}

/** Returns the element; a persistent identifier is qualified by the two parties that share it. */
export function nameIdXml ({ format, value }: NameId, idp: string, sp: string): string {
  const qualifiers = format === PERSISTENT_FORMAT
    ? ` NameQualifier="${escapeXml(idp)}" SPNameQualifier="${escapeXml(sp)}"`
    : ''
  return `<saml:NameID Format="${format}"${qualifiers}>${escapeXml(value)}</saml:NameID>`
}
