import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { decryptElement } from './decryption.js'
import { checkPeriod, instantOf } from './instant.js'
import { nameIdOf } from './name-id.js'
import { openSignedQuery } from './redirect-binding.js'
import { decodeBase64 } from './response.js'
import { checkSignatureProfile, isSigned } from './signature-profile.js'
import type { SamlTools, Side } from './tools.js'
import {
  ASSERTION,
  attribute,
  children,
  InvalidMessage,
  isNamed,
  onlyChild,
  PROTOCOL,
  requiredChild,
  textOf
} from './xml.js'

/** How long after its `IssueInstant` a LogoutRequest is accepted, in milliseconds. */
const MAX_AGE = 300_000

/** The expected values of a LogoutRequest. */
export interface LogoutExpected extends Side {
  settings: SamlSettings
  /** The private keys of this service provider, PEM. */
  secrets: readonly string[]
  /** The URL of the single logout service. */
  destination: string
  /** Epoch milliseconds. */
  now: number
  /** Milliseconds. */
  skew: number
}

/** A valid LogoutRequest. */
export interface LogoutRequest {
  id: string
  /** From when on it is refused, epoch milliseconds. */
  endsAt: number
  subject: string
  /** The sessions at the provider that end; none for all of the subject. */
  sessionIndexes: readonly string[]
}

/** Reads a signed LogoutRequest in the HTTP-Redirect binding. Throws `InvalidMessage`. */
export function openRedirectedLogout (tools: SamlTools, query: string, expected: LogoutExpected): LogoutRequest {
  const xml = openSignedQuery(query, 'SAMLRequest', expected.settings.certificates)
  return readLogoutRequest(tools, tools.parseXml(xml), expected)
}

/** Reads a signed LogoutRequest in the HTTP-POST binding. Rejects with `InvalidMessage`. */
export async function openPostedLogout (
  tools: SamlTools,
  encoded: string,
  expected: LogoutExpected
): Promise<LogoutRequest> {
  const root = tools.parseXml(decodeBase64(encoded))
  checkSignatureProfile(root, [root])
  if (!isSigned(root)) throw new InvalidMessage('the message is not signed')
  const request = readLogoutRequest(tools, root, expected)
  const encrypted = onlyChild(root, ASSERTION, 'EncryptedID')
  const decryptionPvk = encrypted === null ? null : decryptElement(encrypted, expected.secrets).key
  const saml = await tools.saml(expected.settings, expected, decryptionPvk === null ? {} : { decryptionPvk })
  await saml.validatePostRequestAsync({ SAMLRequest: encoded }).catch((cause: unknown) => {
    throw new InvalidMessage('the signature is not valid', { cause })
  })
  return request
}

function readLogoutRequest (tools: SamlTools, root: Element, expected: LogoutExpected): LogoutRequest {
  const { settings, secrets, destination, now, skew } = expected
  if (!isNamed(root, PROTOCOL, 'LogoutRequest')) throw new InvalidMessage('the message is not a LogoutRequest')
  const id = attribute(root, 'ID')
  if (id === null || id === '') throw new InvalidMessage('the LogoutRequest has no ID')
  if (attribute(root, 'Version') !== '2.0') throw new InvalidMessage('the version of the LogoutRequest is not 2.0')
  if (attribute(root, 'Destination') !== destination) throw new InvalidMessage('the message is for another destination')
  if (textOf(requiredChild(root, ASSERTION, 'Issuer')) !== settings.idp_entity_id) {
    throw new InvalidMessage('the issuer of the LogoutRequest is another one')
  }
  const issuedAt = instantOf(root, 'IssueInstant')
  if (issuedAt === null || issuedAt > now + skew) throw new InvalidMessage('the LogoutRequest is issued in the future')
  if (now - skew >= issuedAt + MAX_AGE) throw new InvalidMessage('the LogoutRequest is too old')
  checkPeriod(root, { now, skew })
  const encrypted = onlyChild(root, ASSERTION, 'EncryptedID')
  const nameId = encrypted === null
    ? requiredChild(root, ASSERTION, 'NameID')
    : tools.parseXml(decryptElement(encrypted, secrets).xml)
  if (!isNamed(nameId, ASSERTION, 'NameID')) throw new InvalidMessage('the encrypted element is not a NameID')
  return {
    id,
    endsAt: issuedAt + MAX_AGE + skew,
    subject: nameIdOf(nameId).value,
    sessionIndexes: children(root, PROTOCOL, 'SessionIndex').map(textOf)
  }
}
