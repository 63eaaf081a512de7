import { checkPeriod, instantOf } from './instant.js'
import { nameIdOf } from './name-id.js'
import type { NameId } from './name-id.js'
import {
  ASSERTION,
  attribute,
  children,
  childrenOf,
  InvalidMessage,
  onlyChild,
  requiredChild,
  textOf
} from './xml.js'

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
/** The conditions that this reader understands or satisfies: an assertion is used once and not passed on. */
const CONDITIONS = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']
/** How long after its `IssueInstant` an assertion is accepted at most, whatever it says, in milliseconds. */
const MAX_AGE = 3_600_000

/** The expected values of an assertion. */
export interface Expected {
  issuer: string
  /** The entity id of this service provider. */
  audience: string
  /** The URL of the assertion consumer service. */
  recipient: string
  /** The id of the AuthnRequest; `null` for a login that the provider starts. */
  requestId: string | null
  /** Epoch milliseconds. */
  now: number
  /** Milliseconds. */
  skew: number
}

/** The contents of a valid assertion. */
export interface Assertion {
  id: string
  /** From when on it is refused, epoch milliseconds. */
  endsAt: number
  nameId: NameId
  sessionIndex: string | null
  /** When and how the person signed in. */
  authnInstant: number
  authnContext: string | null
  attributes: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads an assertion whose signature has been verified (SAML profiles, section 4.1.4.3). Throws `InvalidMessage` for
 * the first part that does not fit.
 */
export function readAssertion (assertion: Element, expected: Expected): Assertion {
  const { now, skew } = expected
  const id = attribute(assertion, 'ID')
  if (id === null || id === '') throw new InvalidMessage('the assertion has no ID')
  if (attribute(assertion, 'Version') !== '2.0') throw new InvalidMessage('the version of the assertion is not 2.0')
  if (textOf(requiredChild(assertion, ASSERTION, 'Issuer')) !== expected.issuer) {
    throw new InvalidMessage('the issuer of the assertion is another one')
  }
  const issuedAt = instantOf(assertion, 'IssueInstant')
  if (issuedAt === null || issuedAt > now + skew) throw new InvalidMessage('the assertion is issued in the future')
  if (now - skew >= issuedAt + MAX_AGE) throw new InvalidMessage('the assertion is too old')
  const conditionsEnd = checkConditions(requiredChild(assertion, ASSERTION, 'Conditions'), expected)
  const subject = requiredChild(assertion, ASSERTION, 'Subject')
  const confirmedUntil = checkConfirmations(children(subject, ASSERTION, 'SubjectConfirmation'), expected)
  return {
    id,
    endsAt: Math.min(issuedAt + MAX_AGE, conditionsEnd, confirmedUntil) + skew,
    nameId: nameIdOf(requiredChild(subject, ASSERTION, 'NameID')),
    ...readStatement(assertion, expected),
    attributes: readAttributes(assertion)
  }
}

function checkConditions (conditions: Element, { audience, now, skew }: Expected): number {
  checkPeriod(conditions, { now, skew })
  if (childrenOf(conditions).some(({ localName }) => !CONDITIONS.includes(localName))) {
    throw new InvalidMessage('the assertion has an unknown condition')
  }
  const restrictions = children(conditions, ASSERTION, 'AudienceRestriction')
  const fits = restrictions.every((restriction) =>
    children(restriction, ASSERTION, 'Audience').some((element) => textOf(element) === audience)
  )
  if (restrictions.length === 0 || !fits) throw new InvalidMessage('the assertion is for another audience')
  return instantOf(conditions, 'NotOnOrAfter') ?? Infinity
}

/** Returns when the first confirmation that fits ends. */
function checkConfirmations (confirmations: readonly Element[], expected: Expected): number {
  let failure = new InvalidMessage('the assertion has no bearer confirmation')
  for (const confirmation of confirmations) {
    if (attribute(confirmation, 'Method') !== BEARER) continue
    try {
      return checkConfirmation(requiredChild(confirmation, ASSERTION, 'SubjectConfirmationData'), expected)
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error
      failure = error
    }
  }
  throw failure
}

function checkConfirmation (data: Element, { recipient, requestId, now, skew }: Expected): number {
  if (attribute(data, 'Recipient') !== recipient) throw new InvalidMessage('the assertion is for another recipient')
  if (attribute(data, 'InResponseTo') !== requestId) throw new InvalidMessage('the assertion answers another request')
  if (data.hasAttribute('NotBefore')) throw new InvalidMessage('the bearer confirmation has a NotBefore')
  const end = instantOf(data, 'NotOnOrAfter')
  if (end === null) throw new InvalidMessage('the bearer confirmation has no NotOnOrAfter')
  checkPeriod(data, { now, skew })
  return end
}

function readStatement (
  assertion: Element,
  { now, skew }: Expected
): Pick<Assertion, 'sessionIndex' | 'authnInstant' | 'authnContext'> {
  const [statement] = children(assertion, ASSERTION, 'AuthnStatement')
  if (statement === undefined) throw new InvalidMessage('the assertion has no AuthnStatement')
  const end = instantOf(statement, 'SessionNotOnOrAfter')
  if (end !== null && now - skew >= end) throw new InvalidMessage('the session at the provider has expired')
  const authnInstant = instantOf(statement, 'AuthnInstant')
  if (authnInstant === null || authnInstant > now + skew) throw new InvalidMessage('AuthnInstant is in the future')
  const context = onlyChild(statement, ASSERTION, 'AuthnContext')
  const reference = context === null ? null : onlyChild(context, ASSERTION, 'AuthnContextClassRef')
  return {
    sessionIndex: attribute(statement, 'SessionIndex'),
    authnInstant,
    authnContext: reference === null ? null : textOf(reference)
  }
}

function readAttributes (assertion: Element): Map<string, string[]> {
  const attributes = new Map<string, string[]>()
  for (const statement of children(assertion, ASSERTION, 'AttributeStatement')) {
    for (const element of children(statement, ASSERTION, 'Attribute')) {
      const name = attribute(element, 'Name') ?? ''
      const values = children(element, ASSERTION, 'AttributeValue').filter((value) => childrenOf(value).length === 0)
      attributes.set(name, [...attributes.get(name) ?? [], ...values.map(textOf)])
    }
  }
  return attributes
}
