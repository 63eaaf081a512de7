import { optionAssertion } from '../../../lib/options.js'
import type { AssertOption } from '../../../lib/options.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

const assertOption: AssertOption = optionAssertion('jetstream')
/** The token after the prefix for messages of many events; other subjects have three tokens there. */
const PACKED = '_packed'
const SAFE = /^[A-Za-z0-9_-]+$/
const UNSAFE_CHARACTERS = /[^A-Za-z0-9_-]/gu
const ENCODED = /^(?:%|(?:[A-Za-z0-9_-]|%u[D][89A-F][0-9A-F]{2}|%[0-9A-F]{2})+)$/
const ESCAPES = /%u([0-9A-F]{4})|((?:%[0-9A-F]{2})+)/g

/** Returns the subject `<prefix>.<org>.<source>.<type>`; org and source are encoded by `toToken`. */
export function subjectOf (
  prefix: string,
  { orgId, sourceId, type }: Pick<AcceptedEvent, 'orgId' | 'sourceId' | 'type'>
): string {
  return `${prefix}.${toToken(orgId)}.${toToken(sourceId)}.${type}`
}

/** Returns the subject of messages that hold events of many organisations and sources. */
export function packedSubject (prefix: string): string {
  return `${prefix}.${PACKED}`
}

/** Returns the pattern for all subjects of the sink. */
export function allSubjects (prefix: string): string {
  return `${prefix}.>`
}

/**
 * Encodes a string as one subject token. Letters, digits, `_` and `-` stay; each UTF-8 byte of another character
 * becomes `%XX`, as in a URL, a lone surrogate `%uXXXX`, and the empty string `%`.
 *
 * @example
 * toToken('acme.eu') // 'acme%2Eeu'
 */
export function toToken (value: string): string {
  if (SAFE.test(value)) return value
  return value === '' ? '%' : value.replace(UNSAFE_CHARACTERS, escape)
}

/**
 * Decodes a token of `toToken`; `null` for a token that `toToken` cannot produce.
 *
 * @example
 * fromToken('acme%2Eeu') // 'acme.eu'
 */
export function fromToken (token: string): string | null {
  if (SAFE.test(token)) return token
  if (token === '%') return ''
  if (!ENCODED.test(token)) return null
  const value = token.replace(
    ESCAPES,
    (_escape, lone: string | undefined, bytes: string | undefined) =>
      lone === undefined
        ? Buffer.from((bytes ?? '').replaceAll('%', ''), 'hex').toString('utf8')
        : String.fromCharCode(Number.parseInt(lone, 16))
  )
  return toToken(value) === token ? value : null
}

/** @throws INVALID_OPTIONS for an invalid prefix */
export function assertSubjectPrefix (prefix: unknown): asserts prefix is string {
  assertOption(
    typeof prefix === 'string' && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(prefix) && prefix.length <= 100,
    'stream.subjectPrefix',
    '1 to 100 characters: tokens of letters, digits, "_" and "-", joined by dots',
    prefix
  )
}

function escape (character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&')
}
