import { execFile } from 'node:child_process'
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

// Without the environment of the test runner, which would load its TypeScript hooks into every child process.
const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
const execute = promisify(execFile)

/** Runs a command in a folder and returns what it printed. Rejects with its output if it fails. */
export async function run (cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(command, args, { cwd, env })).stdout
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string }
    throw new Error(`${message}\n${stdout}`)
  }
}

/**
 * Packs the package as npm would publish it, and returns the path of `fastify-gatehouse.tgz` in the folder. It builds
 * into `dist/`, so no two test files may pack at the same time: `npm run test:hosts` runs one file after the other.
 */
export async function packInto (folder: string): Promise<string> {
  await run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', folder)
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const path = join(folder, 'fastify-gatehouse.tgz')
  renameSync(join(folder, tarball), path)
  return path
}

/** Installs the dependencies of the `package.json` of a folder. */
export async function install (folder: string): Promise<void> {
  await run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund')
}
