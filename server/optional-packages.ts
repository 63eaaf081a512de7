import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

import { PACKAGE_FOLDER, PEERS, VERSION } from './version.js'

const require = createRequire(import.meta.url)

/** Returns the names of the packages that are not installed. */
export function missingPackages (names: readonly string[]): string[] {
  return names.filter((name) => !isInstalled(name))
}

function isInstalled (name: string): boolean {
  // Reads package.json directly, because `resolve` fails for packages that do not export it.
  return (require.resolve.paths(name) ?? []).some((folder) => {
    try {
      require(`${folder}/${name}/package.json`)
      return true
    } catch {
      return false
    }
  })
}

/** Returns a command line that installs the packages temporarily and runs the command. */
export function wayToInstall (missing: readonly string[], command: string): string {
  const specs = [specOfItself(PACKAGE_FOLDER),
    ...['fastify', ...missing].map((name) => name in PEERS ? `${name}@${PEERS[name]}` : name)]
  const packages = specs.map((spec) => /^[\w@./^~+-]+$/.test(spec) ? `-p ${spec}` : `-p "${spec}"`)
  return `this needs ${missing.join(', ')}. Run:\n\n  npx ${packages.join(' ')} fastify-gatehouse ${command}\n`
}

/**
 * Returns the specifier from which npm installs this package: its tarball, if that still exists, or this version from
 * the registry. npm records the tarball in the lock file of `node_modules`, relative to the project.
 */
export function specOfItself (folder: string): string {
  try {
    const modules = dirname(folder)
    const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>
    }
    const [, path] = /^file:(.+)$/.exec(lock.packages['node_modules/fastify-gatehouse']?.resolved ?? '') ?? []
    const tarball = path === undefined ? undefined : resolve(dirname(modules), path)
    if (tarball !== undefined && existsSync(tarball)) return tarball
  } catch {
    // The lock file is missing: another package manager installed the package, or it runs from a checkout.
  }
  return `fastify-gatehouse@${VERSION}`
}
