import { randomBytes } from 'node:crypto'

import { SignedXml } from 'xml-crypto'

import type { SigningPair } from '../../server/mock-products/saml/certificate.js'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const MINUTE = 60_000

/** What a response says; the XML of some parts can be replaced. */
export interface ResponseParts {
  /** Epoch milliseconds. */
  now: number
  issuer: string
  audience: string
  recipient: string
  inResponseTo: string | null
  destination?: string | null
  responseIssuer?: string
  confirmedRequest?: string | null
  assertionId?: string
  /** Raw XML. */
  nameId?: string
  format?: string
  /** Raw XML. */
  email?: string | null
  /** The values by name of more attributes, as raw XML. */
  attributes?: Readonly<Record<string, readonly string[]>>
  sessionIndex?: string
  authnContext?: string
  issuedAt?: number
  notBefore?: number
  notOnOrAfter?: number
  confirmedUntil?: number
  sessionUntil?: number
  /** Raw XML in place of the statement. */
  authnStatement?: string
  /** Raw XML in the place of the subject confirmation. */
  confirmation?: string
  /** Raw XML in the conditions. */
  condition?: string
  status?: string
}

const time = (epoch: number) => new Date(epoch).toISOString()
const optional = (name: string, value: string | null) => value === null ? '' : ` ${name}="${value}"`
export const newId = () => `_${randomBytes(16).toString('hex')}`

export function assertionXml (parts: ResponseParts): string {
  const { now, issuer, audience, recipient, inResponseTo, nameId = 'person-1', email = 'ann@acme.example' } = parts
  const { issuedAt = now, notBefore = now - MINUTE, notOnOrAfter = now + 5 * MINUTE } = parts
  const { confirmedUntil = now + 5 * MINUTE, confirmedRequest = inResponseTo, sessionIndex = 'session-1' } = parts
  const { format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' } = parts
  const { authnContext = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport' } = parts
  const attributes = { ...email === null ? {} : { email: [email] }, ...parts.attributes }
  const confirmation = parts.confirmation ??
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData' +
      ` NotOnOrAfter="${time(confirmedUntil)}" Recipient="${recipient}"${optional('InResponseTo', confirmedRequest)}/>` +
      '</saml:SubjectConfirmation>'
  const sessionEnd = parts.sessionUntil === undefined ? null : time(parts.sessionUntil)
  const statement = parts.authnStatement ??
    `<saml:AuthnStatement AuthnInstant="${time(issuedAt)}" SessionIndex="${sessionIndex}"` +
      `${optional('SessionNotOnOrAfter', sessionEnd)}><saml:AuthnContext><saml:AuthnContextClassRef>${authnContext}` +
      '</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>'
  const list = Object.entries(attributes).map(([name, values]) =>
    `<saml:Attribute Name="${name}">${
      values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')
    }</saml:Attribute>`
  )
  return '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"' +
    ` ID="${parts.assertionId ?? newId()}" Version="2.0" IssueInstant="${time(issuedAt)}">` +
    `<saml:Issuer>${issuer}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${format}">${nameId}</saml:NameID>${confirmation}</saml:Subject>` +
    `<saml:Conditions NotBefore="${time(notBefore)}" NotOnOrAfter="${time(notOnOrAfter)}">` +
    `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>` +
    `${parts.condition ?? ''}</saml:Conditions>${statement}` +
    `${list.length === 0 ? '' : `<saml:AttributeStatement>${list.join('')}</saml:AttributeStatement>`}</saml:Assertion>`
}

/** A response around the XML of assertions. */
export function responseXml (parts: ResponseParts, assertions: string): string {
  const { now, issuer, recipient, inResponseTo, destination = recipient, responseIssuer = issuer } = parts
  return '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"' +
    ' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"' +
    ` ID="${newId()}" Version="2.0" IssueInstant="${time(now)}"${optional('Destination', destination)}` +
    `${optional('InResponseTo', inResponseTo)}><saml:Issuer>${responseIssuer}</saml:Issuer>` +
    '<samlp:Status><samlp:StatusCode' +
    ` Value="urn:oasis:names:tc:SAML:2.0:status:${parts.status ?? 'Success'}"/></samlp:Status>${assertions}` +
    '</samlp:Response>'
}

export interface SignatureParts {
  algorithm?: string
  digest?: string
  canonicalization?: string
  /** In the place of the pair's private key. */
  key?: string
  /** Adds the certificate to the signature. */
  embed?: string
}

/** Signs the element of a name: `Assertion`, `Response`, `LogoutRequest`. */
export function signed (xml: string, name: string, pair: SigningPair, parts: SignatureParts = {}): string {
  const { algorithm = RSA_SHA256, digest = SHA256, canonicalization = EXCLUSIVE, key, embed } = parts
  const signer = new SignedXml({
    privateKey: key ?? pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...embed === undefined ? {} : { publicCert: embed },
    signatureAlgorithm: algorithm,
    canonicalizationAlgorithm: EXCLUSIVE
  })
  if (algorithm.includes('hmac')) signer.enableHMAC()
  const xpath = `//*[local-name(.)='${name}']`
  signer.addReference({ xpath, transforms: [ENVELOPED, canonicalization], digestAlgorithm: digest })
  signer.computeSignature(xml, {
    prefix: 'ds', location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' }
  })
  return signer.getSignedXml()
}

/** A response with one signed assertion. */
export function signedResponse (parts: ResponseParts, pair: SigningPair, signature: SignatureParts = {}): string {
  return responseXml(parts, signed(assertionXml(parts), 'Assertion', pair, signature))
}

export const base64 = (xml: string) => Buffer.from(xml).toString('base64')
