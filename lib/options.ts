import type { RegisterOptions } from 'fastify'

import { unknownOption } from '../signing/known-options.js'
import type { KnownOptions, RenamedOptions } from '../signing/known-options.js'
import { INVALID_OPTIONS } from './errors.js'

export type { KnownOptions, RenamedOptions } from '../signing/known-options.js'

/** Maximum number of characters of an option's value in an error message. */
const MAX_SHOWN = 40

/** The options of Fastify's own `register`. @fastify/autoload passes `prefix` to every plugin of a folder. */
const OF_REGISTER: KnownOptions<RegisterOptions> = { prefix: true, logLevel: true, logSerializers: true }

/**
 * Throws `INVALID_OPTIONS` for the first option of a plugin that is not in `known`, because a misspelt option would
 * silently keep its default. The message contains the current name from `renamed`, or the most similar known name.
 * Fastify's own `prefix`, `logLevel` and `logSerializers` are always accepted.
 *
 * @example
 * const KNOWN: KnownOptions<ProxyKeyOptions> = { keys: true, secretMaxAge: true, global: true }
 * refuseUnknownOptions('proxyKey', { keys, globl: true }, KNOWN)
 * // throws: proxyKey: unknown option "globl"; did you mean "global"?
 */
export function refuseUnknownOptions (
  plugin: string,
  options: object,
  known: KnownOptions<object>,
  renamed: RenamedOptions = {}
): void {
  const added = Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(OF_REGISTER, name)))
  refuseUnknownMembers(plugin, '', added, known, renamed)
}

/**
 * Like `refuseUnknownOptions`, for an object inside the options. `path` precedes each name in the message, such as
 * `'cookie.'`. Accepts any value that is not an object, which the check of that option must refuse.
 */
export function refuseUnknownMembers (
  plugin: string,
  path: string,
  value: unknown,
  known: KnownOptions<object>,
  renamed: RenamedOptions = {}
): void {
  if (typeof value !== 'object' || value === null) return
  const error = unknownOption(value, known, renamed, path)
  if (error !== null) throw new INVALID_OPTIONS(`${plugin}: ${error}`)
}

/**
 * Throws `INVALID_OPTIONS` unless a duration in milliseconds is a multiple of 1000 from `min` to `max`. For durations
 * that a protocol sends in seconds. A value that is given in seconds by mistake is refused.
 */
export function assertWholeSeconds (plugin: string, option: string, value: unknown, min: number, max: number): void {
  if (isWholeNumber(value, min, max) && value % 1_000 === 0) return
  throw new INVALID_OPTIONS(
    `${plugin}: "${option}" must be milliseconds, ${min} to ${max} in steps of 1000; got ${shownValue(value)}`
  )
}

/**
 * Throws `INVALID_OPTIONS` unless `condition` is true: `"option" must be <expected>; got <value>`. Omit a value that
 * may be secret.
 */
export type AssertOption = (
  condition: boolean,
  option: string,
  expected: string,
  ...actual: [value?: unknown]
) => asserts condition

/**
 * Returns a function that asserts the options of one plugin.
 *
 * @example
 * const assertOption: AssertOption = optionAssertion('signature')
 * assertOption(Number.isFinite(tolerance), 'tolerance', 'a number of milliseconds', tolerance)
 * // throws: signature: "tolerance" must be a number of milliseconds; got "x"
 */
export function optionAssertion (plugin: string): AssertOption {
  return (condition, option, expected, ...actual) => {
    if (condition) return
    throw new INVALID_OPTIONS(
      `${plugin}: "${option}" must be ${expected}${actual.length === 0 ? '' : `; got ${shownValue(actual[0])}`}`
    )
  }
}

/**
 * Throws `INVALID_OPTIONS` unless the value is an integer from `min` (default: 1) to `max`. `unit` is for the
 * message.
 */
export function assertWholeNumber (
  plugin: string,
  option: string,
  value: unknown,
  { min = 1, max = Number.MAX_SAFE_INTEGER, unit = '' }: { min?: number, max?: number, unit?: string } = {}
): void {
  if (isWholeNumber(value, min, max)) return
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`
  throw new INVALID_OPTIONS(
    `${plugin}: "${option}" must be a whole number${unit === '' ? '' : ` of ${unit}`}, ${range}; got ${
      shownValue(value)
    }`
  )
}

/** Throws `INVALID_OPTIONS` unless the value is a non-empty string. */
export function assertNonEmpty (plugin: string, option: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new INVALID_OPTIONS(`${plugin}: "${option}" must be a non-empty string; got ${shownValue(value)}`)
}

/** Throws `INVALID_OPTIONS` unless the value is `true` or `false`. */
export function assertBoolean (plugin: string, option: string, value: unknown): asserts value is boolean {
  if (typeof value === 'boolean') return
  throw new INVALID_OPTIONS(`${plugin}: "${option}" must be true or false; got ${shownValue(value)}`)
}

function isWholeNumber (value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

/** Returns a short representation of an option's value for an error message, without the contents of objects. */
function shownValue (value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)
  }
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
