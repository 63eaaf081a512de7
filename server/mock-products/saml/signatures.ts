import { sign, verify, X509Certificate } from 'node:crypto'

import type { SigningPair } from './certificate.js'
import { children, parseXml } from './xml.js'
import type { XmlPackages } from './xml.js'

const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
/** The accepted signature algorithms, with the names of their hashes. */
const HASHES: Readonly<Record<string, string>> = {
  [RSA_SHA256]: 'sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': 'sha512'
}
const DIGESTS = [SHA256, 'http://www.w3.org/2001/04/xmlenc#sha512']

/** Signs the root element of a document, which must have an ID. The signature follows the `Issuer`, as SAML demands. */
export function signXml ({ SignedXml }: XmlPackages, xml: string, { privateKey, certificate }: SigningPair): string {
  const signer = new SignedXml({
    privateKey,
    publicCert: certificate,
    signatureAlgorithm: RSA_SHA256,
    canonicalizationAlgorithm: EXCLUSIVE
  })
  signer.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE], digestAlgorithm: SHA256 })
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: "/*/*[local-name()='Issuer']", action: 'after' }
  })
  return signer.getSignedXml()
}

/**
 * Returns the signed root element of a document, or `null` unless it has exactly one signature, which signs the whole
 * document with the key of the certificate.
 */
export function verifyXml (packages: XmlPackages, xml: string, certificate: string): Element | null {
  const root = parseXml(packages, xml)
  const [signature, ...others] = root === null ? [] : children(root, SIGNATURE, 'Signature')
  const id = root?.getAttribute('ID') ?? ''
  if (signature === undefined || others.length > 0 || id === '') return null
  const verifier = new packages.SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null })
  try {
    verifier.loadSignature(signature)
    const [reference, ...more] = verifier.getReferences()
    if (reference === undefined || more.length > 0 || reference.uri !== `#${id}`) return null
    if (!DIGESTS.includes(reference.digestAlgorithm) || !(String(verifier.signatureAlgorithm) in HASHES)) return null
    if (!reference.transforms.every((transform) => transform === ENVELOPED || transform === EXCLUSIVE)) return null
    if (!verifier.checkSignature(xml)) return null
    const [signed = ''] = verifier.getSignedReferences()
    return parseXml(packages, signed)
  } catch {
    return null
  }
}

/** Returns the query of a message in the HTTP-Redirect binding with `SigAlg` and `Signature`. */
export function signQuery (query: string, { privateKey }: SigningPair): string {
  const signed = `${query}&SigAlg=${encodeURIComponent(RSA_SHA256)}`
  const signature = sign('sha256', Buffer.from(signed), privateKey).toString('base64')
  return `${signed}&Signature=${encodeURIComponent(signature)}`
}

/**
 * Returns whether the query of a message in the HTTP-Redirect binding is signed with the key of a certificate. The
 * signature covers the parameters as they are encoded in the URL (SAML bindings, section 3.4.4.1).
 */
export function verifyQuery (query: string, name: 'SAMLRequest' | 'SAMLResponse', certificate: string): boolean {
  const parts = query.split('&')
  const parameters = new URLSearchParams(query)
  const signed = [name, 'RelayState', 'SigAlg'].filter((known) => parameters.has(known))
    .map((known) => parts.find((part) => part.startsWith(`${known}=`)) ?? '').join('&')
  const hash = HASHES[parameters.get('SigAlg') ?? '']
  const signature = parameters.get('Signature')
  if (hash === undefined || signature === null) return false
  const { publicKey } = new X509Certificate(certificate)
  return verify(hash, Buffer.from(signed), publicKey, Buffer.from(signature, 'base64'))
}
