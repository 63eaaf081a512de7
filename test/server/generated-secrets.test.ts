import { chmod, chown, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import t from 'tap'

import { generatedSecret } from '../../server/config/generated-secrets.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'

t.test('a strong secret is generated once, in a file that only the owner can access', async (t) => {
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

t.test('concurrent generations of one secret all return the same secret and leave no temporary file', async (t) => {
  const dataDir = t.testdir()
  const made = await Promise.all(Array.from({ length: 20 }, () => generatedSecret(dataDir, 'SECRETS_KEY')))
  t.equal(new Set(made).size, 1)
  t.same(await readdir(join(dataDir, 'secrets')), ['SECRETS_KEY'])
})

t.test('a damaged file stops the start and is not changed', async (t) => {
  const dataDir = t.testdir()
  await generatedSecret(dataDir, 'SECRETS_KEY')
  const file = join(dataDir, 'secrets', 'SECRETS_KEY')
  for (const content of ['', 'short']) {
    await writeFile(file, content)
    await t.rejects(generatedSecret(dataDir, 'SECRETS_KEY'), { message: /secrets\/SECRETS_KEY/ })
    t.equal(await readFile(file, 'utf8'), content)
  }
})

t.test('a secret that other users can read or change stops the start with the command that fixes it', async (t) => {
  const dataDir = t.testdir()
  const secret = await generatedSecret(dataDir, 'SECRETS_KEY')
  const [folder, file] = [join(dataDir, 'secrets'), join(dataDir, 'secrets', 'SECRETS_KEY')]
  const cases = [[file, 0o640, 0o600], [file, 0o604, 0o600], [file, 0o620, 0o600], [folder, 0o750, 0o700], [folder,
    0o711, 0o700], [dataDir, 0o770, 0o700], [dataDir, 0o777, 0o700]] as const
  for (const [path, open, closed] of cases) {
    await chmod(path, open)
    await t.rejects(generatedSecret(dataDir, 'SECRETS_KEY'), {
      message: `${path} is accessible to other users (mode ${open.toString(8)})`
    }, open.toString(8))
    await t.rejects(generatedSecret(dataDir, 'SECRETS_KEY'), { message: `chmod ${closed.toString(8)} ${path}` })
    t.equal((await stat(path)).mode & 0o777, open, 'the mode is not changed')
    await chmod(path, closed)
    t.equal(await generatedSecret(dataDir, 'SECRETS_KEY'), secret)
  }
})

t.test('a secret that belongs to another user stops the start', {
  skip: process.getuid?.() === 0 ? false : 'only root can give a file away'
}, async (t) => {
  const dataDir = t.testdir()
  await generatedSecret(dataDir, 'SECRETS_KEY')
  for (const path of [join(dataDir, 'secrets', 'SECRETS_KEY'), join(dataDir, 'secrets'), dataDir]) {
    await chown(path, 12_345, 12_345)
    await t.rejects(generatedSecret(dataDir, 'SECRETS_KEY'), { message: `${path} belongs to another user (uid 12345)` })
    await chown(path, 0, 0)
  }
})
