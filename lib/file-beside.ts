import { pathToFileURL } from 'node:url'

/**
 * The URL of a file relative to a module. A CommonJS bundle has no `import.meta.url`: there the file lies beside the bundle,
 * so that this must run when the file is used, not while the module loads.
 *
 * @example fileBeside('./worker.js', import.meta.url)
 */
export function fileBeside (path: string, moduleUrl: string | undefined): URL {
  return new URL(path, moduleUrl ?? pathToFileURL(__filename))
}
