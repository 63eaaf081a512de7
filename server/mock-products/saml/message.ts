import { randomBytes } from 'node:crypto'

import type { Message } from './bindings.js'
import type { ProviderState } from './state.js'
import { ASSERTION, attribute, escapeXml, isElement, onlyChild, PROTOCOL, textOf } from './xml.js'

/** How far the clocks of the parties may differ, in milliseconds, and how old a message may be. */
export const TOLERANCE = 300_000
const ENTITY = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

export type RootName = 'AuthnRequest' | 'LogoutRequest' | 'LogoutResponse'

/**
 * Checks what all SAML messages have: the root element, version, ID, time, destination and issuer. Returns the ID, or
 * an error as `reason`.
 */
export function checkMessage (
  { root }: Message,
  name: RootName,
  destination: string,
  { sp, now }: Pick<ProviderState, 'sp' | 'now'>
): { id: string } | { reason: string } {
  if (!isElement(root, PROTOCOL, name)) return { reason: `The message must be a samlp:${name}.` }
  if (attribute(root, 'Version') !== '2.0') return { reason: 'Version must be 2.0.' }
  const id = attribute(root, 'ID') ?? ''
  if (!/^[A-Za-z_][\w.-]{0,255}$/.test(id)) return { reason: 'ID must be an NCName.' }
  const instant = attribute(root, 'IssueInstant') ?? ''
  const time = UTC.test(instant) ? Date.parse(instant) : NaN
  if (!(Math.abs(now() - time) <= TOLERANCE)) return { reason: 'IssueInstant must be at most five minutes off.' }
  const sentTo = attribute(root, 'Destination')
  // A signed message without Destination could be sent to another provider.
  if (sentTo === null ? sp.certificate !== null : sentTo !== destination) {
    return { reason: `Destination must be ${destination}.` }
  }
  const issuer = onlyChild(root, ASSERTION, 'Issuer')
  if (issuer === null || textOf(issuer) !== sp.entityId || (attribute(issuer, 'Format') ?? ENTITY) !== ENTITY) {
    return { reason: 'Issuer must be the entity ID of the registered service provider.' }
  }
  return { id }
}

/** Returns a new ID of a message or an assertion. */
export function createId (): string {
  return `_${randomBytes(20).toString('hex')}`
}

export function timestamp (epoch: number): string {
  return new Date(epoch).toISOString()
}

/** A protocol message that the provider sends. */
export interface OutgoingMessage {
  name: 'Response' | 'LogoutRequest' | 'LogoutResponse'
  id: string
  destination: string
  inResponseTo: string | null
  /** Further attributes, as XML. */
  attributes?: string
  /** The elements after `Issuer`, as XML. */
  content: string
}

/** Returns the XML of a protocol message, unsigned. */
export function messageXml (
  { name, id, destination, inResponseTo, attributes = '', content }: OutgoingMessage,
  { entityId, now }: Pick<ProviderState, 'entityId' | 'now'>
): string {
  const answers = inResponseTo === null ? '' : ` InResponseTo="${escapeXml(inResponseTo)}"`
  return `<samlp:${name} xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${id}" Version="2.0" IssueInstant="${timestamp(now())}" Destination="${escapeXml(destination)}"${answers}${attributes}><saml:Issuer>${escapeXml(entityId)}</saml:Issuer>${content}</samlp:${name}>`
}

const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:'

/** A top-level status, with a second one that says more. */
export type Status = readonly [top: 'Success' | 'Requester' | 'Responder', detail?: string]

export function statusXml ([top, detail]: Status): string {
  const inner = detail === undefined ? '/>' : `><samlp:StatusCode Value="${STATUS}${detail}"/></samlp:StatusCode>`
  return `<samlp:Status><samlp:StatusCode Value="${STATUS}${top}"${inner}</samlp:Status>`
}

/** Returns the top-level status of a response without its prefix, such as `Success`; `null` without a status. */
export function readStatus (root: Element): string | null {
  const status = onlyChild(root, PROTOCOL, 'Status')
  const code = status === null ? null : onlyChild(status, PROTOCOL, 'StatusCode')
  const value = code === null ? null : attribute(code, 'Value')
  return value?.startsWith(STATUS) === true ? value.slice(STATUS.length) : null
}
