/** Every name of an options type. */
export type OptionNames<Options extends object> = Readonly<Record<keyof Options & string, true>>

/**
 * Throws a TypeError for the first option that is not in `known`, with the names that are: a misspelt option would
 * leave
 * its default in place without notice.
 *
 * @example
 * assertKnownOptions('verifyUserReference', { keys, audience, nou: 0 }, { keys: true, audience: true, now: true })
 * // throws: verifyUserReference: unknown option "nou"; the options are keys, audience, now
 */
export function assertKnownOptions (caller: string, options: object, known: OptionNames<object>): void {
  for (const name in options) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(`${caller}: unknown option "${name}"; the options are ${Object.keys(known).join(', ')}`)
  }
}
