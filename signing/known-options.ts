import { closest, distance } from 'fastest-levenshtein'

/** The names of all properties of an options type. A missing or additional name does not compile. */
export type KnownOptions<Options extends object> = Readonly<Record<keyof Options & string, true>>

/** Former names of options and their current names, for the error message about a former name. */
export type RenamedOptions = Readonly<Record<string, string>>

/**
 * Throws a TypeError for the first option of a function that is not in `known`, because a misspelt option would
 * silently keep its default. The message contains the current name from `renamed`, or the most similar known name.
 *
 * @example
 * assertKnownOptions('verifyUserReference', { keys, audience, nou: 0 }, { keys: true, audience: true, now: true })
 * // throws: verifyUserReference: unknown option "nou"; did you mean "now"?
 */
export function assertKnownOptions (
  caller: string,
  options: object,
  known: KnownOptions<object>,
  renamed: RenamedOptions = {}
): void {
  const error = unknownOption(options, known, renamed)
  if (error !== null) throw new TypeError(`${caller}: ${error}`)
}

/**
 * Describes the first option that is not in `known`, or returns `null`. `path` precedes each name in the description,
 * such as `'cookie.'`.
 */
export function unknownOption (
  options: object,
  known: KnownOptions<object>,
  renamed: RenamedOptions = {},
  path = ''
): string | null {
  for (const name in options) {
    if (!Object.hasOwn(known, name)) {
      return `unknown option "${path}${name}"; ${hintFor(path, name, Object.keys(known), renamed)}`
    }
  }
  return null
}

function hintFor (path: string, unknown: string, names: readonly string[], renamed: RenamedOptions): string {
  const present = Object.hasOwn(renamed, unknown) ? renamed[unknown] : undefined
  if (present !== undefined) return `it is now "${path}${present}"`
  const nearest = nearestName(unknown, names)
  if (nearest !== null) return `did you mean "${path}${nearest}"?`
  return names.length === 0 ? 'there are no options here' : `the options are ${names.join(', ')}`
}

/** Returns the known name that is most similar to a misspelt name, ignoring case, or `null` if no name is similar. */
export function nearestName (name: string, known: readonly string[]): string | null {
  const unknownName = name.toLowerCase()
  const lowerCase = known.map((each) => each.toLowerCase())
  const nearest = lowerCase.length === 0 ? '' : closest(unknownName, lowerCase)
  const changes = distance(unknownName, nearest)
  return changes <= Math.max(1, Math.floor(unknownName.length / 3)) ? known[lowerCase.indexOf(nearest)] ?? null : null
}
