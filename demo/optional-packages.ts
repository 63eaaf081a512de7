import { createRequire } from 'node:module'

import { VERSION } from './version.js'

const require = createRequire(import.meta.url)

/** Those of the packages that are not installed where this one is. */
export function missingPackages (names: readonly string[]): string[] {
  return names.filter((name) => !isInstalled(name))
}

function isInstalled (name: string): boolean {
  // Where it would be looked for; `resolve` alone would stumble over what a package does not export.
  return (require.resolve.paths(name) ?? []).some((folder) => {
    try {
      require(`${folder}/${name}/package.json`)
      return true
    } catch {
      return false
    }
  })
}

/** The one line that brings them. */
export function wayToInstall (missing: readonly string[], command: string): string {
  const packages = [`fastify-gatehouse@${VERSION}`, 'fastify', ...missing].map((name) => `-p ${name}`)
  return `this needs ${missing.join(', ')}. Run it with all of it by\n\n  npx ${packages.join(' ')} fastify-gatehouse ${command}\n`
}
