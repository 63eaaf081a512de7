import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Manifest {
  version: string
  peerDependencies: Readonly<Record<string, string>>
}

/** The folder of the package: the parent of the sources, or the grandparent of the compiled files. */
export const PACKAGE_FOLDER: string = dirname(fileURLToPath(manifestUrl()))

const manifest = JSON.parse(readFileSync(manifestUrl(), 'utf8')) as Manifest

/** The version in the package's own package.json. */
export const VERSION: string = manifest.version

/** Version ranges of the peer dependencies, by name. */
export const PEERS: Readonly<Record<string, string>> = manifest.peerDependencies

function manifestUrl (): URL {
  const file = [new URL('../package.json', import.meta.url), new URL('../../package.json', import.meta.url)].find((
    url
  ) => existsSync(url))
  if (file === undefined) throw new Error('The package.json of fastify-gatehouse is missing')
  return file
}
