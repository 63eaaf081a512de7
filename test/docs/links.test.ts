import { execFile } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import t from 'tap'

import { ROOT } from '../helpers/docs-pages.js'
import { temporaryFolder } from '../helpers/server-process.js'

const script = fileURLToPath(new URL('scripts/check-links.mjs', ROOT))

async function check (folder: string): Promise<{ failed: boolean, output: string }> {
  return await promisify(execFile)(process.execPath, [script, folder])
    .then(
      ({ stdout }) => ({ failed: false, output: stdout }),
      ({ stderr }: { stderr: string }) => ({ failed: true, output: stderr })
    )
}

t.test('every link of the pages leads to a file and a heading of the package', async (t) => {
  t.match(await check(fileURLToPath(ROOT)), { failed: false, output: /^the links of \d\d pages lead to/ })
})

t.test('a link to a missing file, to a missing heading and out of the package is reported', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'docs'))
  await mkdir(join(folder, 'scripts'))
  await cp(script, join(folder, 'scripts/a.mjs'))
  await writeFile(join(folder, 'package.json'), '{ "files": ["docs"] }')
  await writeFile(join(folder, 'README.md'), '[a](docs/a.md#a-heading-of-a) [b](https://example.com/none)\n')
  await writeFile(join(folder, 'docs/a.md'), '# A `heading` of A\n\n```md\n[code](none.md)\n```\n')
  t.equal((await check(folder)).failed, false)
  await writeFile(join(folder, 'docs/b.md'), '[1](none.md) [2](a.md#none) [3](../scripts/a.mjs) [4](#none)\n')
  t.same((await check(folder)).output.trim().split('\n').slice(1), [
    'docs/b.md: none.md leads to no file',
    'docs/b.md: a.md#none leads to no heading',
    'docs/b.md: ../scripts/a.mjs leads to a file that is not in the package',
    'docs/b.md: #none leads to no heading'
  ])
})
