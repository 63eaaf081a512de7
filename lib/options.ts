import { closest, distance } from 'fastest-levenshtein'
import type { RegisterOptions } from 'fastify'

import { INVALID_OPTIONS } from './errors.js'

/** Every name of an options type. A name that is missing here, or one too many, does not compile. */
export type KnownOptions<Options extends object> = Readonly<Record<keyof Options & string, true>>

/** The options of Fastify's own `register`. @fastify/autoload passes `prefix` to every plugin of a folder. */
const OF_REGISTER: KnownOptions<RegisterOptions> = { prefix: true, logLevel: true, logSerializers: true }

/** Former names of options and the names that they have now, for the message that refuses a former name. */
export type RenamedOptions = Readonly<Record<string, string>>

/**
 * Throws `INVALID_OPTIONS` for the first option of a plugin that is not in `known`, with its present name if it is in
 * `renamed`, else with the nearest known name: a misspelt option would leave its default in place without notice.
 * Fastify's own `prefix`, `logLevel` and `logSerializers` are always accepted.
 *
 * @example
 * const KNOWN: KnownOptions<ProxyKeyOptions> = { keys: true, secretMaxAge: true, global: true }
 * refuseUnknownOptions('proxyKey', { keys, globl: true }, KNOWN)
 * // throws: proxyKey: unknown option "globl"; did you mean "global"?
 */
export function refuseUnknownOptions (
  plugin: string, options: object, known: KnownOptions<object>, renamed: RenamedOptions = {}
): void {
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(OF_REGISTER, name)))
  refuseUnknownMembers(plugin, '', own, known, renamed)
}

/**
 * The same for an object inside the options; `path` goes before each name in the message, such as `'cookie.'`. Accepts any value that is not
 * an object: the check of that option refuses it.
 */
export function refuseUnknownMembers (
  plugin: string, path: string, value: unknown, known: KnownOptions<object>, renamed: RenamedOptions = {}
): void {
  if (typeof value !== 'object' || value === null) return
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const names = Object.keys(known)
  throw new INVALID_OPTIONS(`${plugin}: unknown option "${path}${unknown}"; ${hintFor(path, unknown, names, renamed)}`)
}

function hintFor (path: string, unknown: string, names: readonly string[], renamed: RenamedOptions): string {
  const present = Object.hasOwn(renamed, unknown) ? renamed[unknown] : undefined
  if (present !== undefined) return `it is now "${path}${present}"`
  const nearest = nearestName(unknown, names)
  return nearest === null ? knownNames(names) : `did you mean "${path}${nearest}"?`
}

/**
 * Throws `INVALID_OPTIONS` unless a duration is a whole number of seconds, in milliseconds, from `min` to `max`. For
 * durations that end on a wire as seconds: a value that was meant in seconds is refused.
 */
export function assertWholeSeconds (plugin: string, option: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max && value % 1_000 === 0) return
  throw new INVALID_OPTIONS(
    `${plugin}: "${option}" must be milliseconds, ${min} to ${max} in steps of 1000; got ${String(value)}`
  )
}

/** The known name that a misspelt one most probably stands for, whatever its case; `null` if none is near. */
export function nearestName (name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase()
  const lowerCase = known.map((each) => each.toLowerCase())
  const nearest = lowerCase.length === 0 ? '' : closest(wanted, lowerCase)
  const changes = distance(wanted, nearest)
  return changes <= Math.max(1, Math.floor(wanted.length / 3)) ? known[lowerCase.indexOf(nearest)] ?? null : null
}

function knownNames (names: readonly string[]): string {
  return names.length === 0 ? 'there are no options here' : `the options are ${names.join(', ')}`
}
