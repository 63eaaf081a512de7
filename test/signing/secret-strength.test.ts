import { randomBytes } from 'node:crypto'

import t from 'tap'

import { assertStrongSecret, generateSecret } from '../../signing/secret-strength/index.js'

const HOW = /npx fastify-gatehouse generate-key/

t.test('a secret that is missing, short or of few characters is refused, with a message that names the option ' +
  'and the fix', async (t) => {
  const weak: Array<[string, RegExp]> = [
    ['', /"jwtSecrets" is missing/],
    [randomBytes(23).toString('base64url'), /shorter than 32 bytes/],
    ['aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1c', /shorter than 32 bytes/],
    ['a'.repeat(64), /fewer than 12 different/],
    ['abcdefghijk'.repeat(4), /fewer than 12 different/]
  ]
  for (const [secret, why] of weak) {
    t.throws(
      () => {
        assertStrongSecret('jwtSecrets', secret)
      },
      { message: why },
      secret
    )
    t.throws(
      () => {
        assertStrongSecret('jwtSecrets', secret)
      },
      { message: HOW },
      secret
    )
  }
})

t.test('secrets from tutorials are refused in any letter case and punctuation', async (t) => {
  const known = [
    'a-string-secret-at-least-256-bits-long',
    'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
    'your-256-bit-secret-your-256-bit-secret',
    'Your_Super_Secret_JWT_Key_Change_In_Production',
    'changeme-changeme-changeme-changeme-0123456789',
    'CHANGE_ME_0123456789abcdefghijklmnopqrstuv',
    'my-super-secret-jwt-key-that-is-at-least-32-characters-long',
    'secretkeysecretkeysecretkeysecretkey-jwt-token-admin-for-you',
    'thisisaverylongsecretkeyforjwtsigning123',
    '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
    'averylogphrasebiggerthanthirtytwochars',
    'django-insecure-4f&x)2h!k7@1wz9mq3b5c8v0n6j+e$r_t^y',
    'The quick brown fox jumps over the lazy dog.'
  ]
  for (const secret of known) {
    t.throws(
      () => {
        assertStrongSecret('jwtSecrets', secret)
      },
      { message: /publicly known sample or a placeholder/ },
      secret
    )
  }
})

t.test('secrets of public repositories are refused, in any case and punctuation, and as hex or base64', async (t) => {
  const published = [
    '9fb71820-db14-43bf-99cb-c38b407b2d41',
    'Mmd0VvceCSTb5gPhCry1f1uPTKaGZpFttsu3s5CbIEJN6GGmD1V3D06K2sXS30hu',
    'n2r5u8x/A%D*G-KaPdSgVkYp3s6v9y$B&E(H+MbQeThWmZq4t7w!z%C*F-J@NcRf',
    'A3S5566B54703343367639792F423F4528482B4D62516C5468576D5A71347437'
  ]
  for (const secret of published) {
    for (
      const spelling of [secret, secret.toUpperCase(), `${secret}\n`, secret.replaceAll('-', '_'),
        Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]
    ) {
      t.throws(
        () => {
          assertStrongSecret('jwtSecrets', spelling)
        },
        { message: /publicly known|different characters/ },
        spelling
      )
    }
  }
})

t.test('error messages do not contain the secret', async (t) => {
  for (const secret of ['hunter2', 'your-256-bit-secret-your-256-bit-secret']) {
    try {
      assertStrongSecret('proxyKeys', secret)
      t.fail('was accepted')
    } catch (error) {
      t.notMatch(String(error), secret)
    }
  }
})

t.test('random secrets in every usual encoding are accepted, also after words', async (t) => {
  for (let round = 0; round < 200; round++) {
    const bytes = randomBytes(32)
    for (
      const secret of [bytes.toString('base64'), bytes.toString('base64url'),
        `proxy-key-for-tests-${bytes.toString('base64url')}`]
    ) {
      t.doesNotThrow(() => {
        assertStrongSecret('keys', secret)
      }, secret)
    }
  }
  t.doesNotThrow(() => {
    assertStrongSecret('keys', 'ключ-абвгдежзиклм')
  }, 'bytes are counted, not characters')
})

t.test('a generated secret is 32 bytes of base64url, strong, and new each time', async (t) => {
  const secrets = Array.from({ length: 500 }, generateSecret)
  t.equal(new Set(secrets).size, secrets.length)
  for (const secret of secrets) {
    t.equal(Buffer.from(secret, 'base64url').length, 32)
    assertStrongSecret('generated', secret)
  }
})
