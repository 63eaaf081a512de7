import { NAME_ID_FORMATS } from '../../../schemas/admin-saml.js'
import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { base64Of } from './certificates.js'
import { ENCRYPTION, escapeXml, METADATA, PROTOCOL, SIGNATURE } from './xml.js'

const BINDINGS = 'urn:oasis:names:tc:SAML:2.0:bindings:'
const ENCRYPTION_METHODS = [
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  `${ENCRYPTION}aes256-cbc`,
  `${ENCRYPTION}aes128-cbc`,
  `${ENCRYPTION}rsa-oaep-mgf1p`
]

/** The URLs of this service provider for one identity provider, which its administrator enters there. */
export interface ServiceUrls {
  entityId: string
  acs: string
  slo: string
}

/**
 * Returns the metadata of this service provider. All its certificates are for signatures, so that the provider accepts
 * the next key before it is used; the first one is for encryption.
 */
export function serviceMetadata ({ entityId, acs, slo }: ServiceUrls, settings: SamlSettings): string {
  const certificates = settings.sp_certificates ?? []
  const format = settings.name_id_format ?? NAME_ID_FORMATS[0]
  const services = ['HTTP-Redirect', 'HTTP-POST'].map((binding) =>
    `<md:SingleLogoutService Binding="${BINDINGS}${binding}" Location="${escapeXml(slo)}"/>`
  )
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<md:EntityDescriptor xmlns:md="${METADATA}" xmlns:ds="${SIGNATURE}" entityID="${escapeXml(entityId)}">`,
    `<md:SPSSODescriptor AuthnRequestsSigned="${settings.sign_requests === true}" WantAssertionsSigned="true"` +
      ` protocolSupportEnumeration="${PROTOCOL}">`,
    ...certificates.map((pem) => keyDescriptor('signing', pem, [])),
    ...certificates.slice(0, 1).map((pem) => keyDescriptor('encryption', pem, ENCRYPTION_METHODS)),
    ...services,
    `<md:NameIDFormat>${format}</md:NameIDFormat>`,
    `<md:AssertionConsumerService Binding="${BINDINGS}HTTP-POST" Location="${escapeXml(acs)}" index="0"` +
      ' isDefault="true"/>',
    '</md:SPSSODescriptor>',
    '</md:EntityDescriptor>',
    ''
  ].join('\n')
}

function keyDescriptor (use: 'signing' | 'encryption', pem: string, methods: readonly string[]): string {
  const keyInfo = `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${base64Of(pem)}</ds:X509Certificate></ds:X509Data>` +
    '</ds:KeyInfo>'
  const list = methods.map((method) => `<md:EncryptionMethod Algorithm="${method}"/>`).join('')
  return `<md:KeyDescriptor use="${use}">${keyInfo}${list}</md:KeyDescriptor>`
}
