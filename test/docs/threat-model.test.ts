import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import t from 'tap'

const page = await readFile(new URL('../../docs/threat-model.md', import.meta.url), 'utf8')

t.test('each threat names tests that exist', async (t) => {
  const threats = page.split(/^### /m).slice(1)
  t.ok(threats.length > 20)
  for (const threat of threats) {
    const [title = ''] = threat.split('\n', 1)
    const files = [...threat.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file)
    t.ok(files.length > 0, title)
    for (const file of files) t.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
  }
})
