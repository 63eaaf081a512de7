import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import t from 'tap'

import { generatedSecret } from '../../demo/generated-secrets.js'
import { assertStrongSecret } from '../../signing/secret-strength.js'

t.test('a secret is made once, strong, in a file that is the owner\'s alone', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const first = await generatedSecret(dataDir, 'JWT_SECRET')
  assertStrongSecret('JWT_SECRET', first)
  t.equal(await generatedSecret(dataDir, 'JWT_SECRET'), first)
  t.not(await generatedSecret(dataDir, 'SECRETS_KEY'), first)
  const mode = async (...path: string[]) => ((await stat(join(dataDir, ...path))).mode & 0o777).toString(8)
  t.equal(await mode(), '700')
  t.equal(await mode('secrets'), '700')
  t.equal(await mode('secrets', 'JWT_SECRET'), '600')
})

t.test('of many that make the same secret at once, all get one, and no draft stays', async (t) => {
  const dataDir = t.testdir()
  const made = await Promise.all(Array.from({ length: 20 }, () => generatedSecret(dataDir, 'SECRETS_KEY')))
  t.equal(new Set(made).size, 1)
  t.same(await readdir(join(dataDir, 'secrets')), ['SECRETS_KEY'])
})

t.test('a damaged file stops the start and is left as it is', async (t) => {
  const dataDir = t.testdir()
  await generatedSecret(dataDir, 'SECRETS_KEY')
  const file = join(dataDir, 'secrets', 'SECRETS_KEY')
  for (const content of ['', 'short']) {
    await writeFile(file, content)
    await t.rejects(generatedSecret(dataDir, 'SECRETS_KEY'), { message: /secrets\/SECRETS_KEY/ })
    t.equal(await readFile(file, 'utf8'), content)
  }
})
