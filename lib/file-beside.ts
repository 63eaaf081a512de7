import { pathToFileURL } from 'node:url'

/**
 * Returns the URL of a file relative to a module. A CommonJS bundle has no `import.meta.url`; there the file is next to
 * the bundle. Call it when the file is used, not while the module loads.
 *
 * @example fileBeside('./worker.js', import.meta.url)
 */
export function fileBeside (path: string, moduleUrl: string | undefined): URL {
  return new URL(path, moduleUrl ?? pathToFileURL(__filename))
}
