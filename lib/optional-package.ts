/**
 * Imports a package that not everyone installs.
 *
 * @param name the package, as npm knows it
 * @param load the import itself, written out so that bundlers and types see it: `() => import('pg')`
 * @param why what needs it, as the start of a sentence: `The embedded database`
 * @throws an Error that says what to install when the package itself is missing; any other failure as it came
 */
export async function importOptional<T> (name: string, load: () => Promise<T>, why: string): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new Error(`${why} needs the package "${name}", which is not installed: npm install ${name}`, { cause: error })
  }
}

/** A package that is there but lacks one of its own dependencies is broken, not missing, and must say so itself. */
function isMissing (error: unknown, name: string): boolean {
  // Where module hooks are installed the error comes from their thread and has lost its code, ERR_MODULE_NOT_FOUND.
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return error instanceof Error && (code === undefined || code === 'ERR_MODULE_NOT_FOUND') &&
    error.message.startsWith(`Cannot find package '${name}' `)
}
