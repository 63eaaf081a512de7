import type { Message } from './bindings.js'
import { checkMessage } from './message.js'
import type { Status } from './message.js'
import { EMAIL_FORMAT, PERSISTENT_FORMAT, UNSPECIFIED_FORMAT } from './name-id.js'
import type { ProviderState } from './state.js'
import { ASSERTION, attribute, children, onlyChild, PROTOCOL, textOf } from './xml.js'

const POST_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
const CONTEXT = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
/** The authentication contexts of the sign-in page; the first is the default. */
const CONTEXTS = ['PasswordProtectedTransport', 'Password', 'unspecified'].map((name) => CONTEXT + name)
const BOOLEANS: ReadonlyMap<string | null, boolean> = new Map([[null, false], ['false', false], ['0', false],
  ['true', true], ['1', true]])

/** A valid request of the app to sign a person in. */
export interface AuthnRequest {
  id: string
  relayState: string | null
  forceAuthn: boolean
  isPassive: boolean
  nameIdFormat: string
  /** The class of authentication that the assertion declares. */
  context: string
}

export type AuthnVerdict =
  /** The provider shows the reason itself, because the request does not come from the app. */
  | { verdict: 'refused', reason: string }
  /** The app receives an error response. */
  | { verdict: 'error', id: string, relayState: string | null, status: Status }
  | { verdict: 'valid', request: AuthnRequest }

/** Reads an `AuthnRequest` (SAML core, section 3.4.1; web browser SSO profile). */
export function readAuthnRequest (
  message: Message | string,
  { sp, ssoUrl, now }: Pick<ProviderState, 'sp' | 'ssoUrl' | 'now'>
): AuthnVerdict {
  if (typeof message === 'string') return { verdict: 'refused', reason: message }
  const checked = checkMessage(message, 'AuthnRequest', ssoUrl, { sp, now })
  if ('reason' in checked) return { verdict: 'refused', reason: checked.reason }
  const { root, relayState } = message
  const [forceAuthn, isPassive] = [BOOLEANS.get(attribute(root, 'ForceAuthn')), BOOLEANS.get(attribute(root, 'IsPassive'))]
  const reason = targetProblem(root, sp.acsUrl)
  if (reason !== null) return { verdict: 'refused', reason }
  if (forceAuthn === undefined || isPassive === undefined) {
    return { verdict: 'refused', reason: 'ForceAuthn and IsPassive must be booleans.' }
  }
  const { id } = checked
  const nameIdFormat = nameIdFormatOf(root)
  const context = contextOf(root)
  if (nameIdFormat === null) {
    return { verdict: 'error', id, relayState, status: ['Requester', 'InvalidNameIDPolicy'] }
  }
  if (context === null) return { verdict: 'error', id, relayState, status: ['Responder', 'NoAuthnContext'] }
  return { verdict: 'valid', request: { id, relayState, forceAuthn, isPassive, nameIdFormat, context } }
}

/** Returns why the response cannot be sent as the request demands, or `null`. */
function targetProblem (root: Element, acsUrl: string): string | null {
  if ((attribute(root, 'AssertionConsumerServiceURL') ?? acsUrl) !== acsUrl) {
    return 'AssertionConsumerServiceURL is not registered for this service provider.'
  }
  if (attribute(root, 'AssertionConsumerServiceIndex') !== null) return 'AssertionConsumerServiceIndex is not supported.'
  return (attribute(root, 'ProtocolBinding') ?? POST_BINDING) === POST_BINDING
    ? null
    : `ProtocolBinding must be ${POST_BINDING}.`
}

function nameIdFormatOf (root: Element): string | null {
  const policy = onlyChild(root, PROTOCOL, 'NameIDPolicy')
  const format = (policy === null ? null : attribute(policy, 'Format')) ?? UNSPECIFIED_FORMAT
  if (format === UNSPECIFIED_FORMAT || format === PERSISTENT_FORMAT) return PERSISTENT_FORMAT
  return format === EMAIL_FORMAT ? format : null
}

function contextOf (root: Element): string | null {
  const requested = onlyChild(root, PROTOCOL, 'RequestedAuthnContext')
  if (requested === null) return CONTEXTS[0] ?? null
  if (attribute(requested, 'Comparison') === 'better') return null
  const classes = children(requested, ASSERTION, 'AuthnContextClassRef').map(textOf)
  return CONTEXTS.find((context) => classes.includes(context)) ?? null
}
