import { INVALID_OPTIONS } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

/** Under the prefix, for messages of many events; it has one token where the others have three. */
const PACKED = '_packed'
const SAFE = /^[A-Za-z0-9_-]+$/
const EACH_UNSAFE = /[^A-Za-z0-9_-]/gu
const ENCODED = /^(?:%|(?:[A-Za-z0-9_-]|%u[D][89A-F][0-9A-F]{2}|%[0-9A-F]{2})+)$/
const ESCAPES = /%u([0-9A-F]{4})|((?:%[0-9A-F]{2})+)/g

/** `<prefix>.<org>.<source>.<type>`, each a token as `toToken` makes it. */
export function subjectOf (prefix: string, { orgId, sourceId, type }: Pick<AcceptedEvent, 'orgId' | 'sourceId' | 'type'>): string {
  return `${prefix}.${toToken(orgId)}.${toToken(sourceId)}.${type}`
}

/** Of a message that holds the events of many organisations and sources. */
export function packedSubject (prefix: string): string {
  return `${prefix}.${PACKED}`
}

/** Of all that the sink publishes. */
export function allSubjects (prefix: string): string {
  return `${prefix}.>`
}

/**
 * A text as one token of a subject: letters, digits, `_` and `-` stay, of every other character each byte of its UTF-8 becomes `%XX`, as in
 * a URL. A lone surrogate, which has no UTF-8, becomes `%uXXXX`, and no text at all `%`.
 */
export function toToken (text: string): string {
  if (SAFE.test(text)) return text
  return text === '' ? '%' : text.replace(EACH_UNSAFE, escape)
}

/** The text that `toToken` was given; `null` for what it never makes. */
export function fromToken (token: string): string | null {
  if (SAFE.test(token)) return token
  if (token === '%') return ''
  if (!ENCODED.test(token)) return null
  const text = token.replace(ESCAPES, (_escape, lone: string | undefined, bytes: string | undefined) =>
    lone === undefined ? Buffer.from((bytes ?? '').replaceAll('%', ''), 'hex').toString('utf8') : String.fromCharCode(Number.parseInt(lone, 16)))
  return toToken(text) === token ? text : null
}

/** @throws INVALID_OPTIONS where it can't begin a subject */
export function assertSubjectPrefix (prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(prefix) || prefix.length > 100) {
    throw new INVALID_OPTIONS('jetstream: "subjectPrefix" must be one or more tokens of letters, digits, "_" and "-", joined by dots')
  }
}

function escape (character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&')
}
