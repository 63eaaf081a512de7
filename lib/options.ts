import { closest, distance } from 'fastest-levenshtein'
import type { RegisterOptions } from 'fastify'

import { INVALID_OPTIONS } from './errors.js'

/** Every name of an options type. A name that is missing here, or one too many, does not compile. */
export type KnownOptions<Options extends object> = Readonly<Record<keyof Options & string, true>>

/** The options of Fastify's own `register`. @fastify/autoload passes `prefix` to every plugin of a folder. */
const OF_REGISTER: KnownOptions<RegisterOptions> = { prefix: true, logLevel: true, logSerializers: true }

/**
 * Throws `INVALID_OPTIONS` for the first option of a plugin that is not in `known`, with the nearest known name: a misspelt option would leave
 * its default in place without notice. Fastify's own `prefix`, `logLevel` and `logSerializers` are always accepted.
 *
 * @example
 * const KNOWN: KnownOptions<ProxyKeyOptions> = { keys: true, secretMaxAge: true, global: true }
 * refuseUnknownOptions('proxyKey', { keys, globl: true }, KNOWN)
 * // throws: proxyKey: unknown option "globl"; did you mean "global"?
 */
export function refuseUnknownOptions (plugin: string, options: object, known: KnownOptions<object>): void {
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(OF_REGISTER, name)))
  refuseUnknownMembers(plugin, '', own, known)
}

/**
 * The same for an object inside the options; `path` goes before each name in the message, such as `'cookie.'`. Accepts any value that is not
 * an object: the check of that option refuses it.
 */
export function refuseUnknownMembers (plugin: string, path: string, value: unknown, known: KnownOptions<object>): void {
  if (typeof value !== 'object' || value === null) return
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const names = Object.keys(known)
  const nearest = nearestName(unknown, names)
  const hint = nearest === null ? knownNames(names) : `did you mean "${path}${nearest}"?`
  throw new INVALID_OPTIONS(`${plugin}: unknown option "${path}${unknown}"; ${hint}`)
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
