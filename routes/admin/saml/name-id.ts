import { attribute, InvalidMessage, textOf } from './xml.js'

export const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
export const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
export const EMAIL_ADDRESS = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'

const MAX_LENGTH = 256

/** The provider's id of a person. */
export interface NameId {
  value: string
  format: string | null
  nameQualifier: string | null
  spNameQualifier: string | null
}

/** Reads a NameID. Throws `InvalidMessage` for an empty or too long one. */
export function nameIdOf (element: Element): NameId {
  const value = textOf(element)
  if (value === '' || value.length > MAX_LENGTH) throw new InvalidMessage('the NameID must have 1 to 256 characters')
  return {
    value,
    format: attribute(element, 'Format'),
    nameQualifier: attribute(element, 'NameQualifier'),
    spNameQualifier: attribute(element, 'SPNameQualifier')
  }
}
