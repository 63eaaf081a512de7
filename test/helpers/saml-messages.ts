import { deflateRawSync } from 'node:zlib'

import { SignedXml } from 'xml-crypto'
import { DOMParser } from '@xmldom/xmldom'

import type { SigningPair } from '../../server/mock-products/saml/certificate.js'
import { signQuery, signXml } from '../../server/mock-products/saml/signatures.js'
import { ACS, appKeys, ENTITY } from './saml-client.js'

export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'

/** The attributes of a valid `AuthnRequest`; a test changes one. `null` removes it. */
export type Attributes = Readonly<Record<string, string | null>>

/** Returns an `AuthnRequest` with changed attributes and content. */
export function authnRequest (destination: string, changes: Attributes = {}, content = issuer()): string {
  return requestXml('AuthnRequest', destination, { AssertionConsumerServiceURL: ACS, ...changes }, content)
}

/** Returns a `LogoutRequest` with changed attributes and content. */
export function logoutRequest (destination: string, content: string, changes: Attributes = {}): string {
  return requestXml('LogoutRequest', destination, changes, content)
}

export function issuer (entityId = ENTITY): string {
  return `<saml:Issuer>${entityId.replaceAll('&', '&amp;')}</saml:Issuer>`
}

function requestXml (name: string, destination: string, changes: Attributes, content: string): string {
  const attributes = {
    ID: '_a1',
    Version: '2.0',
    IssueInstant: new Date().toISOString(),
    Destination: destination,
    ...changes
  }
  const list = Object.entries(attributes).filter(([, value]) => value !== null).map(([key, value]) => `${key}="${value}"`)
  return `<samlp:${name} xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ${list.join(' ')}>${content}</samlp:${name}>`
}

/** Returns the signed query of a message in the HTTP-Redirect binding. */
export function redirectQuery (xml: string | Buffer, relayState = '', keys: SigningPair = appKeys): string {
  const message = deflateRawSync(xml).toString('base64')
  const relay = relayState === '' ? '' : `&RelayState=${encodeURIComponent(relayState)}`
  return signQuery(`SAMLRequest=${encodeURIComponent(message)}${relay}`, keys)
}

/** Returns the form of a signed message in the HTTP-POST binding. */
export function postForm (xml: string, keys: SigningPair = appKeys): URLSearchParams {
  return formFor(signXml({ SignedXml, DOMParser }, xml, keys))
}

/** Returns the form of a message as it is. */
export function formFor (xml: string | Buffer): URLSearchParams {
  return new URLSearchParams({ SAMLRequest: Buffer.from(xml).toString('base64') })
}
