import { NAME_ID_FORMATS } from '../../../schemas/admin-saml.js'
import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { pemOf } from './certificates.js'
import {
  attribute,
  children,
  elementsOf,
  InvalidMessage,
  isNamed,
  METADATA,
  openXmlParser,
  PROTOCOL,
  requiredChild,
  SIGNATURE,
  textOf
} from './xml.js'
import type { ParseXml } from './xml.js'

const BINDINGS = 'urn:oasis:names:tc:SAML:2.0:bindings:'
const MAX_LENGTH = 200_000
const MAX_CERTIFICATES = 5
/** Metadata has no signature to verify, but may describe several protocols. */
const MAX_TAGS = 20_000

/**
 * Returns the settings of a provider from its metadata, for the option `providers`. Fetch the metadata over HTTPS or
 * keep it in a file: its own signature is not verified.
 *
 * @throws InvalidMessage that says what is missing or not accepted
 * @example
 * const settings = await samlSettingsFrom(await readFile('okta-metadata.xml', 'utf8'))
 */
export async function samlSettingsFrom (metadataXml: string): Promise<SamlSettings> {
  return readMetadata(await openXmlParser(), metadataXml)
}

/** Reads the metadata of one identity provider. Throws `InvalidMessage`. */
export function readMetadata (parseXml: ParseXml, xml: string): SamlSettings {
  if (xml.length > MAX_LENGTH) throw new InvalidMessage('the metadata is longer than 200,000 characters')
  const entity = theEntity(parseXml(xml, MAX_TAGS))
  const descriptor = theDescriptor(entity)
  const entryPoint = locationOf(descriptor, 'SingleSignOnService', 'HTTP-Redirect')
  if (entryPoint === null) throw new InvalidMessage('there is no SingleSignOnService with the HTTP-Redirect binding')
  const format = NAME_ID_FORMATS.find((known) =>
    children(descriptor, METADATA, 'NameIDFormat').some((element) => textOf(element) === known)
  )
  return {
    entry_point: entryPoint,
    idp_entity_id: attribute(entity, 'entityID') ?? '',
    certificates: certificatesOf(descriptor),
    ...format === undefined ? {} : { name_id_format: format },
    ...logoutOf(descriptor)
  }
}

function theEntity (root: Element): Element {
  if (isNamed(root, METADATA, 'EntityDescriptor')) return root
  const entities = elementsOf(root).filter((element) =>
    isNamed(element, METADATA, 'EntityDescriptor') && children(element, METADATA, 'IDPSSODescriptor').length > 0
  )
  const [entity] = entities
  if (entity === undefined || entities.length > 1) {
    throw new InvalidMessage('the metadata must describe one identity provider')
  }
  return entity
}

function theDescriptor (entity: Element): Element {
  const descriptor = requiredChild(entity, METADATA, 'IDPSSODescriptor')
  const protocols = (attribute(descriptor, 'protocolSupportEnumeration') ?? '').split(/\s+/)
  if (!protocols.includes(PROTOCOL)) throw new InvalidMessage('the provider does not support SAML 2.0')
  return descriptor
}

function locationOf (descriptor: Element, service: string, binding: string): string | null {
  const element = children(descriptor, METADATA, service).find((candidate) =>
    attribute(candidate, 'Binding') === BINDINGS + binding
  )
  return element === undefined ? null : attribute(element, 'Location')
}

function logoutOf (descriptor: Element): Pick<SamlSettings, 'logout_url' | 'logout_binding'> {
  const redirect = locationOf(descriptor, 'SingleLogoutService', 'HTTP-Redirect')
  if (redirect !== null) return { logout_url: redirect }
  const post = locationOf(descriptor, 'SingleLogoutService', 'HTTP-POST')
  return post === null ? {} : { logout_url: post, logout_binding: 'post' }
}

function certificatesOf (descriptor: Element): string[] {
  const keys = children(descriptor, METADATA, 'KeyDescriptor').filter((key) => attribute(key, 'use') !== 'encryption')
  const pems = keys.flatMap((key) => elementsOf(key)).filter((element) => isNamed(element, SIGNATURE, 'X509Certificate'))
    .map((element) => pemOf(textOf(element)))
  const certificates = [...new Set(pems)]
  if (certificates.length === 0) throw new InvalidMessage('the metadata has no signing certificate')
  if (certificates.length > MAX_CERTIFICATES) {
    throw new InvalidMessage('the metadata has more than five signing certificates; give "certificates" by hand')
  }
  return certificates
}
