import type { ProvenIdentity } from '../sso/protocol.js'
import type { SamlSettings } from '../../../schemas/admin-saml.js'
import type { Assertion } from './assertion.js'
import { EMAIL_ADDRESS, TRANSIENT } from './name-id.js'
import { InvalidMessage } from './xml.js'

/** The names of the email attribute at Okta and Keycloak, Microsoft Entra ID, OneLogin, and in LDAP. */
const EMAIL_ATTRIBUTES = [
  'email',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'User.email',
  'mail',
  'urn:oid:0.9.2342.19200300.100.1.3',
  'urn:oid:1.2.840.113549.1.9.1'
]
/** The names of the attributes with roles or groups at the same products. */
const ROLE_ATTRIBUTES = [
  'groups',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
  'Role',
  'memberOf'
]

/** The attribute in which Microsoft Entra ID says how a person signed in; its AuthnContextClassRef does not. */
const METHODS_ATTRIBUTE = 'http://schemas.microsoft.com/claims/authnmethodsreferences'

/**
 * Returns the person of a valid assertion. Throws `InvalidMessage` for a transient NameID, which is another one at each
 * login.
 *
 * @param roleAttribute the attribute of roles; `null` for the usual names
 */
export function identityOf (
  { nameId, sessionIndex, authnInstant, authnContext, attributes }: Assertion,
  settings: SamlSettings,
  roleAttribute: string | null
): ProvenIdentity {
  if (nameId.format === TRANSIENT) throw new InvalidMessage('the NameID is transient; the provider must send another')
  const { email_attribute: emailAttribute, trust_mfa: trusted = [] } = settings
  const fromNameId = nameId.format === EMAIL_ADDRESS && emailAttribute === undefined ? [nameId.value] : []
  const emails = valuesOf(attributes, emailAttribute === undefined ? EMAIL_ATTRIBUTES : [emailAttribute])
  // Several values leave open which one belongs to the person.
  const [email = null, ...others] = emails.length > 0 ? emails : fromNameId
  const methods = [authnContext, ...attributes.get(METHODS_ATTRIBUTE) ?? []]
  return {
    subject: nameId.value,
    email: others.length === 0 ? email : null,
    // The email counts only in domains that the provider's organisation has proved: there it is the authority.
    isEmailVerified: email !== null && others.length === 0,
    roleValues: valuesOf(attributes, roleAttribute === null ? ROLE_ATTRIBUTES : [roleAttribute]),
    mfaAt: methods.some((method) => method !== null && trusted.includes(method)) ? authnInstant : null,
    providerSession: sessionIndex,
    hint: JSON.stringify(nameId)
  }
}

/** Returns the values of the first of the attributes that has any, each once. */
function valuesOf (attributes: Assertion['attributes'], names: readonly string[]): string[] {
  for (const name of names) {
    const values = (attributes.get(name) ?? []).filter((value) => value !== '')
    if (values.length > 0) return [...new Set(values)]
  }
  return []
}
