import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { readAssertion } from './assertion.js'
import type { Assertion, Expected } from './assertion.js'
import { decryptElement } from './decryption.js'
import { checkSignatureProfile, isSigned } from './signature-profile.js'
import type { SamlTools, Side } from './tools.js'
import {
  ASSERTION,
  attribute,
  childrenOf,
  elementsOf,
  InvalidMessage,
  isNamed,
  onlyChild,
  PROTOCOL,
  requiredChild,
  textOf
} from './xml.js'

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'

/** The provider answers that it refuses the login. */
export class ProviderRefusal extends Error {}

/** A response of which nothing is verified yet. */
export interface ReceivedResponse {
  /** The form field: base64. */
  encoded: string
  root: Element
  inResponseTo: string | null
}

/** Parses the form field `SAMLResponse`. Throws `InvalidMessage`. */
export function parseResponse ({ parseXml }: SamlTools, encoded: string): ReceivedResponse {
  const root = parseXml(decodeBase64(encoded))
  if (!isNamed(root, PROTOCOL, 'Response')) throw new InvalidMessage('the message is not a Response')
  return { encoded, root, inResponseTo: attribute(root, 'InResponseTo') }
}

/** Decodes base64, with line breaks if any. Throws `InvalidMessage`. */
export function decodeBase64 (encoded: string): string {
  const base64 = encoded.replace(/[\r\n\t ]/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new InvalidMessage('the message is not base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    throw new InvalidMessage('the message is not UTF-8')
  }
}

/**
 * Verifies a response and returns its assertion, read from nothing but what the signature of the assertion covers.
 * Rejects with `InvalidMessage`, or with `ProviderRefusal` for a status that is not success.
 */
export async function verifyResponse (
  tools: SamlTools,
  { encoded, root, inResponseTo }: ReceivedResponse,
  { settings, secrets }: { settings: SamlSettings, secrets: readonly string[] },
  expected: Expected & Side
): Promise<Assertion> {
  checkEnvelope(root, inResponseTo, expected)
  const received = theAssertion(root)
  const isEncrypted = received.localName === 'EncryptedAssertion'
  checkSignatureProfile(root, isEncrypted ? [root] : [root, received])
  const decrypted = isEncrypted ? decryptElement(received, secrets) : null
  const assertion = decrypted === null ? received : tools.parseXml(decrypted.xml)
  if (decrypted !== null) checkSignatureProfile(assertion, [assertion])
  if (!isNamed(assertion, ASSERTION, 'Assertion')) throw new InvalidMessage('the encrypted element is not an assertion')
  if (!isSigned(assertion)) throw new InvalidMessage('the assertion is not signed')
  const saml = await tools.saml(settings, expected, {
    // A signature of the response is optional; one that is there must be valid.
    wantAuthnResponseSigned: settings.want_response_signed === true || isSigned(root),
    ...decrypted === null ? {} : { decryptionPvk: decrypted.key }
  })
  const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: encoded }).catch((cause: unknown) => {
    throw new InvalidMessage('the signature is not valid', { cause })
  })
  const signed = profile?.getAssertionXml?.()
  if (signed === undefined) throw new InvalidMessage('the response has no assertion')
  const result = readAssertion(tools.parseXml(signed), expected)
  if (profile?.nameID?.trim() !== result.nameId.value) throw new InvalidMessage('two parsers read two NameIDs')
  return result
}

function checkEnvelope (root: Element, inResponseTo: string | null, expected: Expected): void {
  if (attribute(root, 'Version') !== '2.0') throw new InvalidMessage('the version of the response is not 2.0')
  if (inResponseTo !== expected.requestId) throw new InvalidMessage('the response answers another request')
  const destination = attribute(root, 'Destination')
  if (destination === null ? isSigned(root) : destination !== expected.recipient) {
    throw new InvalidMessage('the response is for another destination')
  }
  const issuer = onlyChild(root, ASSERTION, 'Issuer')
  if (issuer !== null && textOf(issuer) !== expected.issuer) {
    throw new InvalidMessage('the issuer of the response is another one')
  }
  const code = requiredChild(requiredChild(root, PROTOCOL, 'Status'), PROTOCOL, 'StatusCode')
  if (attribute(code, 'Value') !== SUCCESS) throw new ProviderRefusal(`the provider refused the login: ${statusOf(code)}`)
}

/** Returns the names of the status and of the status within, such as `Responder, AuthnFailed`. */
function statusOf (code: Element): string {
  return elementsOf(code).reverse()
    .map((element) => attribute(element, 'Value')?.match(/^urn:oasis:names:tc:SAML:2\.0:status:([A-Za-z]{1,40})$/)?.[1])
    .map((name) => name ?? 'another status').slice(0, 2).join(', ')
}

/** Returns the only assertion of the whole document, which must be a child of the root. */
function theAssertion (root: Element): Element {
  const [assertion, ...others] = elementsOf(root).filter(({ localName }) =>
    localName === 'Assertion' || localName === 'EncryptedAssertion'
  )
  if (assertion === undefined) throw new InvalidMessage('the response has no assertion')
  if (others.length > 0) throw new InvalidMessage('the response has more than one assertion')
  if (!childrenOf(root).includes(assertion) || assertion.namespaceURI !== ASSERTION) {
    throw new InvalidMessage('the assertion is not in its place')
  }
  return assertion
}
