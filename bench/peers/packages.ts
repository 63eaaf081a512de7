// Peers that are not dependencies of this project. They are installed into a temporary folder for a run.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Pinned to versions that run on the lowest supported Node.js. */
export const PACKAGES = {
  '@fastify/http-proxy': '11.6.3',
  'better-auth': '1.7.25',
  'http-proxy-middleware': '3.0.5'
}

/** Installs the packages, sets `PEERS_FOLDER` for the servers, and removes the packages after `work`. */
export async function withPackages (names: ReadonlyArray<keyof typeof PACKAGES>, work: () => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'))
  try {
    // Imports from this file find the packages of the folder.
    await writeFile(join(folder, 'load.mjs'), 'export const load = (name) => import(name)\n')
    await writeFile(join(folder, 'package.json'), '{}')
    const packages = names.map((name) => `${name}@${PACKAGES[name]}`)
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=peer']
    if (packages.length > 0) await promisify(execFile)('npm', ['install', ...options, ...packages], { cwd: folder })
    process.env.PEERS_FOLDER = folder
    await work()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Imports an installed package, in the process of a server. */
export async function loadPeer<T> (name: string): Promise<T> {
  const { load } = await import(pathToFileURL(join(process.env.PEERS_FOLDER ?? '', 'load.mjs')).href) as {
    load: (name: string) => Promise<T>
  }
  return await load(name)
}
