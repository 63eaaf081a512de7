import { SESSION_AGE } from '../sign-in/browser-sessions.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import type { Person } from '../sign-in/people.js'
import type { AuthnRequest } from './authn-request.js'
import { createId, messageXml, statusXml, timestamp } from './message.js'
import type { Status } from './message.js'
import { nameIdXml } from './name-id.js'
import type { NameId } from './name-id.js'
import { signXml } from './signatures.js'
import type { ProviderState } from './state.js'
import { ASSERTION, escapeXml } from './xml.js'

/** How long an assertion is valid, in milliseconds. */
const LIFETIME = 300_000
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const BASIC = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic'

/** Returns the signed response with the signed assertion about the person of a session. */
export function successXml (
  provider: ProviderState,
  request: AuthnRequest,
  session: ProviderSession,
  nameId: NameId
): string {
  const { xml, keys } = provider
  const assertion = signXml(xml, assertionXml(provider, request, session, nameId), keys.newest)
  return responseXml(provider, request.id, ['Success'], assertion)
}

/** Returns the signed response that reports an error to the app. */
export function errorXml (provider: ProviderState, inResponseTo: string, status: Status): string {
  return responseXml(provider, inResponseTo, status, '')
}

function responseXml (provider: ProviderState, inResponseTo: string, status: Status, assertion: string): string {
  const { sp: { acsUrl }, xml, keys } = provider
  const response = {
    name: 'Response',
    id: createId(),
    destination: acsUrl,
    inResponseTo,
    content: statusXml(status) + assertion
  } as const
  return signXml(xml, messageXml(response, provider), keys.newest)
}

function assertionXml (
  { entityId, sp, now }: ProviderState,
  { id, context }: AuthnRequest,
  { id: sessionIndex, person, authTime }: ProviderSession,
  nameId: NameId
): string {
  const [issued, end] = [timestamp(now()), timestamp(now() + LIFETIME)]
  const elements = [
    `<saml:Issuer>${escapeXml(entityId)}</saml:Issuer>`,
    `<saml:Subject>${nameIdXml(nameId, entityId, sp.entityId)}`,
    `<saml:SubjectConfirmation Method="${BEARER}">`,
    `<saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${escapeXml(sp.acsUrl)}" InResponseTo="${id}"/>`,
    '</saml:SubjectConfirmation></saml:Subject>',
    `<saml:Conditions NotBefore="${issued}" NotOnOrAfter="${end}">`,
    `<saml:AudienceRestriction><saml:Audience>${escapeXml(sp.entityId)}</saml:Audience></saml:AudienceRestriction>`,
    '</saml:Conditions>',
    `<saml:AuthnStatement AuthnInstant="${timestamp(authTime)}" SessionIndex="${sessionIndex}"`,
    ` SessionNotOnOrAfter="${timestamp(authTime + SESSION_AGE)}">`,
    `<saml:AuthnContext><saml:AuthnContextClassRef>${context}</saml:AuthnContextClassRef></saml:AuthnContext>`,
    '</saml:AuthnStatement>',
    `<saml:AttributeStatement>${attributesXml(person)}</saml:AttributeStatement>`
  ]
  return `<saml:Assertion xmlns:saml="${ASSERTION}" ID="${createId()}" Version="2.0" IssueInstant="${issued}">${
    elements.join('')
  }</saml:Assertion>`
}

/** A person without groups has no `groups` attribute. */
function attributesXml ({ email, givenName, familyName, groups }: Person): string {
  const attributes = { email: [email], firstName: [givenName], lastName: [familyName], groups }
  return Object.entries(attributes).filter(([, values]) => values.length > 0).map(([name, values]) => {
    const inner = values.map((value) => `<saml:AttributeValue>${escapeXml(value)}</saml:AttributeValue>`)
    return `<saml:Attribute Name="${name}" NameFormat="${BASIC}">${inner.join('')}</saml:Attribute>`
  }).join('')
}
