import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import t from 'tap'

import { ROOT } from '../helpers/docs-pages.js'

const page = await readFile(new URL('docs/asvs.md', ROOT), 'utf8')
const tests = new Map(Array.from(page.matchAll(/^\| ([a-z-]+) \| `(test\/[^`]+)` \|$/gm), ([, name = '', file = '']) => [
  name,
  file
]))

/** The requirements of levels 1 and 2 in each section of ASVS 5.0, chapters V6 and V7: the numbers of their lines. */
const REQUIREMENTS: Readonly<Record<string, readonly number[]>> = {
  'V6.1': [1, 2, 3],
  'V6.2': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  'V6.3': [1, 2, 3, 4],
  'V6.4': [1, 2, 3, 4],
  'V6.5': [1, 2, 3, 4, 5],
  'V6.6': [1, 2, 3],
  'V6.8': [1, 2, 3, 4],
  'V7.1': [1, 2, 3],
  'V7.2': [1, 2, 3, 4],
  'V7.3': [1, 2],
  'V7.4': [1, 2, 3, 4, 5],
  'V7.5': [1, 2],
  'V7.6': [1, 2]
}

t.test('docs/asvs.md decides about each requirement of levels 1 and 2, and names tests that exist', async (t) => {
  const rows = Array.from(page.matchAll(/^\| (\d\.\d)\.(\d+) \| [12] \| .+ \| (.+) \| (.*)\|$/gm))
  t.same(
    rows.map(([, section = '', number = '']) => `V${section}.${number}`),
    Object.entries(REQUIREMENTS).flatMap(([section, numbers]) => numbers.map((number) => `${section}.${number}`))
  )
  for (const [row, , , state = '', names = ''] of rows) {
    t.match(state, /^(?:met|partly|–)/, row)
    for (const name of names.split(',').map((text) => text.trim()).filter((text) => text !== '')) {
      t.ok(existsSync(new URL(tests.get(name) ?? 'no such name', ROOT)), `${row}: ${name}`)
    }
  }
  t.ok(tests.size > 10)
})

t.test('docs/oauth-asvs.md decides about each requirement of a client, and names tests that exist', async (t) => {
  const text = await readFile(new URL('docs/oauth-asvs.md', ROOT), 'utf8')
  const rows = Array.from(text.matchAll(/^\| (10\.\d\.\d+) \| 2 \| .+ \| (?:met|partly).* \| ([a-z-]+) \|$/gm))
  t.same(rows.map(([, id]) => id), ['10.1.1', '10.1.2', '10.2.1', '10.2.2', ...[1, 2, 3, 4, 5].map((n) => `10.5.${n}`)])
  for (const [row, , name = ''] of rows) {
    const file = new RegExp(`^\\| ${name} \\| \`(test/[^\`]+)\` \\|$`, 'm').exec(text)?.[1]
    t.ok(file !== undefined && existsSync(new URL(file, ROOT)), row)
  }
})
