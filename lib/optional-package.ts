/**
 * Imports an optional package.
 *
 * @param name the package name on npm
 * @param load the import, written out so that bundlers and types see it: `() => import('pg')`
 * @param why the feature that needs it, as the start of a sentence: `The embedded database`
 * @throws Error that says what to install if the package is missing; any other error is rethrown
 */
export async function importOptional<T> (name: string, load: () => Promise<T>, why: string): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new Error(`${why} needs the package "${name}", which is not installed: npm install ${name}`, { cause: error })
  }
}

/**
 * Like `importOptional`, but imports an installed package only when the returned function is first called. For packages
 * that few requests need and that take long to load.
 *
 * @throws Error that says what to install if the package is missing
 */
export async function importOptionalLater<T> (
  name: string,
  load: () => Promise<T>,
  why: string
): Promise<() => Promise<T>> {
  // In a bundle the package may be part of the bundle, which only `load` finds.
  if (!isResolvable(name)) await importOptional(name, load, why)
  return load
}

function isResolvable (name: string): boolean {
  try {
    // A CommonJS bundle has no `import.meta.resolve`.
    return import.meta.resolve?.(name) !== undefined
  } catch {
    return false
  }
}

/** Returns whether the package itself is missing, rather than one of its dependencies. */
function isMissing (error: unknown, name: string): boolean {
  // With module hooks installed, the error comes from their thread without its code, ERR_MODULE_NOT_FOUND.
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return error instanceof Error && (code === undefined || code === 'ERR_MODULE_NOT_FOUND') &&
    error.message.startsWith(`Cannot find package '${name}' `)
}
