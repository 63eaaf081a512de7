import { readFile, readdir } from 'node:fs/promises'

import t from 'tap'

import * as errors from '../../lib/errors.js'
import * as signing from '../../signing/index.js'
import { ROOT } from '../helpers/docs-pages.js'

const read = (path: string) => readFile(new URL(path, ROOT), 'utf8')

t.test('docs/errors.md lists every code with its status', async (t) => {
  const page = await read('docs/errors.md')
  const listed = [...page.matchAll(/^\| (\d{3}) \| `([A-Z_]+)` \|/gm)].map(([, status, code]) => `${status} ${code}`)
  const thrown = Object.entries(errors).flatMap(([name, error]) => {
    if (!/^[A-Z_]+$/.test(name) || name === 'INVALID_OPTIONS') return []
    const { statusCode, code } = new (error as new () => { statusCode: number, code: string })()
    return [`${statusCode} ${code}`]
  })
  t.ok(thrown.length > 20)
  t.same(listed.sort(), thrown.sort())
})

t.test('docs/signing.md lists every function and constant of the entry', async (t) => {
  const page = await read('docs/signing.md')
  for (const name of Object.keys(signing)) t.match(page, new RegExp(`^\\| .*\`${name}\\b.* \\|`, 'm'), name)
})

t.test('docs/guards.md lists every option under config.gatehouse', async (t) => {
  const page = await read('docs/guards.md')
  const section = page.slice(0, page.indexOf('## Order'))
  const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  const declared = new Set<string>()
  for (const folder of ['lib/', 'plugins/']) {
    for (const file of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (!file.endsWith('.ts')) continue
      const text = await read(folder + file)
      for (const [, members = ''] of text.matchAll(/interface GatehouseRouteConfig \{\n([\s\S]*?)\n {2}\}/g)) {
        for (const [, name = ''] of members.matchAll(/^ {4}(\w+)\?:/gm)) declared.add(name)
      }
    }
  }
  t.ok(declared.size > 5)
  t.same(listed.sort(), [...declared].sort())
})

t.test('docs/troubleshooting.md names every code, and reasons that the code logs', async (t) => {
  const page = await read('docs/troubleshooting.md')
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.*) \| .* \|$/gm)]
  const codes = new Set(rows.map(([, code]) => code))
  for (const name of Object.keys(errors)) {
    if (/^[A-Z_]+$/.test(name) && name !== 'INVALID_OPTIONS') t.ok(codes.has(name), name)
  }
  let sources = ''
  for (const folder of ['lib/', 'plugins/', 'routes/']) {
    for (const file of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (file.endsWith('.ts')) sources += await read(folder + file)
    }
  }
  const reasons = rows.flatMap(([, , cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, reason = '']) => reason))
  t.ok(reasons.length > 40)
  for (const reason of reasons) for (const part of reason.split('…')) t.ok(sources.includes(part.trim()), reason)
})
