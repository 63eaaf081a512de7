import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import t from 'tap'

const page = await readFile(new URL('../../docs/threats.md', import.meta.url), 'utf8')

t.test('each threat names tests that exist', async (t) => {
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (attack|---)/.test(line))
  t.ok(rows.length > 20)
  for (const row of rows) {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file)
    t.ok(files.length > 0, row)
    for (const file of files) t.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
  }
})
