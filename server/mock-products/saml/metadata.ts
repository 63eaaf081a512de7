import type { FastifyInstance } from 'fastify'

import { EMAIL_FORMAT, PERSISTENT_FORMAT } from './name-id.js'
import type { ProviderState } from './state.js'
import { escapeXml, PROTOCOL } from './xml.js'

const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:'

/** The metadata of the provider, with all its certificates. */
export function metadataRoute (app: FastifyInstance, provider: ProviderState): void {
  app.get('/metadata', async (_request, reply) =>
    reply.type('application/samlmetadata+xml').send(metadataXml(provider)))
}

function metadataXml ({ entityId, ssoUrl, sloUrl, sp, keys }: ProviderState): string {
  const descriptors = keys.certificates.map((certificate) => {
    const base64 = certificate.replace(/-----[^-]+-----|\s/g, '')
    return `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
  })
  const service = (name: string, url: string) =>
    ['HTTP-Redirect', 'HTTP-POST'].map((binding) =>
      `<md:${name} Binding="${BINDING}${binding}" Location="${escapeXml(url)}"/>`
    )
  const elements = [
    ...descriptors,
    ...service('SingleLogoutService', sloUrl),
    ...[PERSISTENT_FORMAT, EMAIL_FORMAT].map((format) => `<md:NameIDFormat>${format}</md:NameIDFormat>`),
    ...service('SingleSignOnService', ssoUrl)
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${escapeXml(entityId)}">
<md:IDPSSODescriptor WantAuthnRequestsSigned="${sp.certificate !== null}" protocolSupportEnumeration="${PROTOCOL}">
${elements.join('\n')}
</md:IDPSSODescriptor>
</md:EntityDescriptor>
`
}
