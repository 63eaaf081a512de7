// The size of the tarball, and the packages and bytes that npm installs with it into an empty project.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Files that npm packs, whatever "files" says. */
const ALWAYS = ['package.json', 'README.md', 'LICENSE']

interface Manifest {
  files: string[]
  devDependencies: Record<string, string>
}

export async function installTable (): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weight-'))
  try {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
    const tarball = await pack(folder, manifest)
    const fastify = `fastify@${manifest.devDependencies.fastify}`
    const rows: string[] = []
    for (const [name, packages] of Object.entries({ fastify: [fastify], 'fastify-gatehouse fastify': [tarball, fastify] })) {
      const project = await install(join(folder, String(rows.length)), packages)
      const modules = join(project, 'node_modules')
      const lock = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8')) as { packages: object }
      rows.push(`| \`npm install ${name}\` | ${Object.keys(lock.packages).length} | ${megabytes(await sizeOf(modules))} |`)
      if (name === 'fastify') continue
      rows.push(`| of that, fastify-gatehouse | 1 | ${megabytes(await sizeOf(join(modules, 'fastify-gatehouse')))} |`)
    }
    return [
      `The tarball has ${megabytes((await stat(tarball)).size)} MB.`,
      '',
      '| command | packages | MB |',
      '| --- | ---: | ---: |',
      ...rows
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Packs a copy of the built package: `npm pack` in the checkout would build it again. */
async function pack (folder: string, { files }: Manifest): Promise<string> {
  const copy = join(folder, 'package')
  for (const name of [...ALWAYS, ...files.filter((pattern) => !pattern.startsWith('!'))]) {
    await cp(join(ROOT, name), join(copy, name), { recursive: true })
  }
  const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: copy })
  return join(folder, stdout.trim())
}

async function install (project: string, packages: string[]): Promise<string> {
  await cp(join(ROOT, 'LICENSE'), join(project, 'LICENSE'))
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', project, ...packages], { cwd: project })
  return project
}

async function sizeOf (folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

function megabytes (bytes: number): string {
  return (bytes / 1_000_000).toFixed(1)
}
