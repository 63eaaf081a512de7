import type { Message } from './bindings.js'
import { checkMessage, createId, messageXml, statusXml, timestamp, TOLERANCE } from './message.js'
import type { Status } from './message.js'
import { nameIdXml } from './name-id.js'
import type { NameId } from './name-id.js'
import type { ProviderState } from './state.js'
import { ASSERTION, attribute, children, escapeXml, onlyChild, PROTOCOL, textOf } from './xml.js'

const BY_USER = 'urn:oasis:names:tc:SAML:2.0:logout:user'

/** A valid logout request of the app. */
export interface LogoutRequest {
  id: string
  /** `format` is `null` if the request has none. */
  nameId: { format: string | null, value: string }
  /** Empty: all sessions of the person. */
  sessionIndexes: readonly string[]
}

/** Reads a `LogoutRequest` (SAML core, section 3.7.1). Returns the reason if it is not valid. */
export function readLogoutRequest (
  message: Message,
  { sp, sloUrl, now }: Pick<ProviderState, 'sp' | 'sloUrl' | 'now'>
): LogoutRequest | string {
  const checked = checkMessage(message, 'LogoutRequest', sloUrl, { sp, now })
  if ('reason' in checked) return checked.reason
  const { root } = message
  const end = attribute(root, 'NotOnOrAfter')
  if (end !== null && !(Date.parse(end) > now())) return 'The request has expired.'
  const element = onlyChild(root, ASSERTION, 'NameID')
  const value = textOf(element)
  if (element === null || value === null) return 'There must be one NameID.'
  const sessionIndexes = children(root, PROTOCOL, 'SessionIndex').map((index) => textOf(index) ?? '')
  return { id: checked.id, nameId: { format: attribute(element, 'Format'), value }, sessionIndexes }
}

/** Returns a logout request to the app, with its ID. `sessionIndex: null` stands for all sessions of the person. */
export function logoutRequestXml (
  provider: ProviderState,
  destination: string,
  nameId: NameId,
  sessionIndex: string | null
): { id: string, xml: string } {
  const { entityId, sp, now } = provider
  const id = createId()
  const index = sessionIndex === null ? '' : `<samlp:SessionIndex>${escapeXml(sessionIndex)}</samlp:SessionIndex>`
  const xml = messageXml({
    name: 'LogoutRequest',
    id,
    destination,
    inResponseTo: null,
    attributes: ` Reason="${BY_USER}" NotOnOrAfter="${timestamp(now() + TOLERANCE)}"`,
    content: nameIdXml(nameId, entityId, sp.entityId) + index
  }, provider)
  return { id, xml }
}

/** Returns the response to a logout request of the app. */
export function logoutResponseXml (
  provider: ProviderState,
  destination: string,
  inResponseTo: string,
  status: Status
): string {
  const content = statusXml(status)
  return messageXml({ name: 'LogoutResponse', id: createId(), destination, inResponseTo, content }, provider)
}
