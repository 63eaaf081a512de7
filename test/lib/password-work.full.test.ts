import { createRequire } from 'node:module'

import t from 'tap'

import { createPasswords } from '../../lib/passwords/index.js'

type Argon2 = typeof import('@node-rs/argon2')

// The function is replaced before the suite imports the package.
const argon2 = createRequire(import.meta.url)('@node-rs/argon2') as Argon2
const { verify, parseOptions } = argon2
const verified: string[] = []
argon2.verify = function recordedVerify (hash, ...args) {
  verified.push(String(hash))
  return verify(hash, ...args)
}

t.test('for an unknown user a dummy hash of the same cost is verified', async (t) => {
  const passwords = await createPasswords()
  const real = await passwords.hash('some password or other')
  t.equal(await passwords.verify(real, 'wrong'), false)
  t.same(verified, [real])
  for (const subject of [null, 'no hash']) {
    verified.length = 0
    t.equal(await passwords.verify(subject, 'wrong'), false)
    const made = verified.filter((hash) => hash !== subject)
    t.equal(made.length, 1)
    t.same(parseOptions(made[0] ?? ''), parseOptions(real), String(subject))
  }
})
