import { pathToFileURL } from 'node:url'

/**
 * Returns the URL of a file of the package by its path in the repository, which is also its path in `dist/`. This
 * module is one folder below both: in `lib/`, or in `dist/chunks/`. Call it when the file is used, not while a module
 * loads.
 *
 * @example packageFile('web/collector/d.js')
 */
export function packageFile (path: string): URL {
  return new URL(`../${path}`, moduleUrl())
}

/**
 * Returns the URL of a file beside the bundle of a host that contains the package.
 *
 * @example fileBesideBundle('d.js')
 */
export function fileBesideBundle (name: string): URL {
  return new URL(`./${name}`, moduleUrl())
}

/** A CommonJS bundle has no `import.meta.url`. */
function moduleUrl (): string | URL {
  return (import.meta.url as string | undefined) ?? pathToFileURL(__filename)
}
