import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

import { PACKAGE_FOLDER, PEERS, VERSION } from './version.js'

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

/** The one line that installs them beside this package and runs the command, without a change to the caller's project. */
export function wayToInstall (missing: readonly string[], command: string): string {
  const specs = [specOfItself(PACKAGE_FOLDER), ...['fastify', ...missing].map((name) => name in PEERS ? `${name}@${PEERS[name]}` : name)]
  const packages = specs.map((spec) => /^[\w@./^~+-]+$/.test(spec) ? `-p ${spec}` : `-p "${spec}"`)
  return `this needs ${missing.join(', ')}. Run:\n\n  npx ${packages.join(' ')} fastify-gatehouse ${command}\n`
}

/**
 * What npm installs this package from: the tarball that it came from, if that is still there, or this version from the registry.
 * npm notes the tarball in the lock file of `node_modules`, relative to the project.
 */
export function specOfItself (folder: string): string {
  try {
    const modules = dirname(folder)
    const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { packages: Record<string, { resolved?: string }> }
    const [, path] = /^file:(.+)$/.exec(lock.packages['node_modules/fastify-gatehouse']?.resolved ?? '') ?? []
    const tarball = path === undefined ? undefined : resolve(dirname(modules), path)
    if (tarball !== undefined && existsSync(tarball)) return tarball
  } catch {
    // No such lock file: installed by another package manager, or run from a checkout.
  }
  return `fastify-gatehouse@${VERSION}`
}
