import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import { generateSecret } from '../../signing/index.js'
import { codeBlocks, docsPages, sourcesByEntry } from './docs-pages.js'
import { folderWithDatabase } from './database-folder.js'
import { temporaryFolder } from './server-process.js'

/** Addresses of services that a quick start cannot run without. */
const SERVICES = /process\.env\.(?:DATABASE|REDIS|NATS)_URL/

/** The whole app below the heading `Quick start` of each page that has one, by the path of the page. */
export async function quickStarts (): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { path, text } of await docsPages()) {
    const app = codeBlocks(text).find(({ heading, language, code }) =>
      heading === 'Quick start' && language === 'js' && code.includes('import Fastify from') && !SERVICES.test(code)
    )
    if (app !== undefined) found.set(path, app.code)
  }
  return found
}

/** The variables of the environment that an app reads, each with a secret of its own. No mail is sent at the start. */
export function secretsOf (code: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(code.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g), ([name]) =>
      [name, name === 'SMTP_URL' ? 'smtp://127.0.0.1:9' : generateSecret()])
  )
}

/**
 * Runs an app as printed, on the sources of the package, a free port and a folder of its own; it is closed with the
 * test.
 */
export async function startQuickStart (
  t: Test,
  code: string,
  variables: Record<string, string>
): Promise<FastifyInstance> {
  const folder = await temporaryFolder(t)
  // Creating a database takes seconds; opening one does not.
  const dataDir = code.includes('dataDir:') ? await folderWithDatabase(t) : folder
  const entries = await sourcesByEntry()
  const locate = (name: string) => entries.get(name)?.href.replace(/\.ts$/, '.js') ?? import.meta.resolve(name)
  const file = join(folder, 'app.mjs')
  await writeFile(
    file,
    code.replace(/from '([^.'][^']*)'/g, (_text, name: string) => `from '${locate(name)}'`)
      .replace(/port: (?:3000|Number\(PORT\))/, 'port: 0')
      .replace('logger: true', 'logger: false')
      .replace(/dataDir: '[^']+'/, `dataDir: '${dataDir}'`)
  )

  const apps: FastifyInstance[] = []
  const note = (message: unknown) => {
    apps.push((message as { fastify: FastifyInstance }).fastify)
  }
  subscribe('fastify.initialization', note)
  Object.assign(process.env, variables)
  t.teardown(async () => {
    for (const app of apps) await app.close()
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name)
  })
  try {
    await import(pathToFileURL(file).href)
  } finally {
    unsubscribe('fastify.initialization', note)
  }
  const [app] = apps
  if (app === undefined) throw new Error('the quick start makes no app')
  return app
}
