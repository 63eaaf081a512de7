import t from 'tap'

import { passwordProblem } from '../../lib/passwords/policy.js'
import { createPasswords, createPasswordsOfAnyCost } from '../../lib/passwords/index.js'
import { packagesLoadedBy } from '../helpers/loaded-modules.js'
import { stringWork } from '../helpers/string-work.js'

const CHEAP = { memoryCost: 64, timeCost: 1 }

t.test('a hash is argon2id with 19 MiB, 2 passes and 1 lane, and has a new salt each time', async (t) => {
  const passwords = await createPasswords()
  const [one, two] = [await passwords.hash('a quite unguessable one'), await passwords.hash('a quite unguessable one')]
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(one, two)
  t.ok(await passwords.verify(one, 'a quite unguessable one'))
  t.notOk(await passwords.verify(one, 'a quite unguessable One'))
  t.notOk(await passwords.verify(one, ''))
})

t.test('without a hash no password matches', async (t) => {
  const passwords = await createPasswordsOfAnyCost(CHEAP)
  for (const password of ['', 'x', 'a quite unguessable one']) t.equal(await passwords.verify(null, password), false)
})

t.test('two Unicode forms of one password are equal', async (t) => {
  const passwords = await createPasswordsOfAnyCost(CHEAP)
  t.ok(
    await passwords.verify(await passwords.hash('caf\u00e9 caf\u00e9 caf\u00e9'), 'cafe\u0301 cafe\u0301 cafe\u0301')
  )
})

t.test('a hash needs renewal when it is weaker in any parameter, not when it is stronger', async (t) => {
  const today = await createPasswordsOfAnyCost({ memoryCost: 128, timeCost: 2 })
  for (
    const [parameters, expected] of [
      [{ memoryCost: 64, timeCost: 2 }, true],
      [{ memoryCost: 128, timeCost: 1 }, true],
      [{ memoryCost: 128, timeCost: 2 }, false],
      [{ memoryCost: 256, timeCost: 3 }, false]
    ] as const
  ) {
    t.equal(
      today.needsRehash(await (await createPasswordsOfAnyCost(parameters)).hash('x')),
      expected,
      JSON.stringify(parameters)
    )
  }
})

t.test('hashes beyond the concurrency wait, hashes beyond the waiting limit are refused, and ' +
  'later hashes work', async (t) => {
  const passwords = await createPasswordsOfAnyCost({ ...CHEAP, concurrency: 2, maxWaiting: 10 })
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => passwords.verify(i % 3 ? null : 'not a hash', 'x'))
  )
  const codes = results.map((result) =>
    result.status === 'fulfilled' ? 'done' : String((result.reason as { code?: string }).code)
  )
  t.equal(codes.filter((code) => code === 'UNAVAILABLE').length, 8)
  t.ok(codes.slice(12).every((code) => code === 'UNAVAILABLE'))
  const again = await Promise.all(Array.from({ length: 12 }, () => passwords.verify(null, 'x')))
  t.equal(again.length, 12)
})

t.test('parameters that are invalid or below the minimum stop the start', async (t) => {
  for (
    const options of [{ memoryCost: 19_455 }, { timeCost: 1 }, { parallelism: 0 }, { memoryCost: 1e5 + 0.5 }, {
      concurrency: 0
    }, { maxWaiting: -1 }]
  ) {
    await t.rejects(createPasswords(options), { code: 'INVALID_OPTIONS' }, JSON.stringify(options))
  }
})

t.test('a password of words of the host is refused, and the words are checked at the start', async (t) => {
  t.equal(passwordProblem('Zorblatt2026!'), null)
  t.match(passwordProblem('Zorblatt2026!', '', ['zorblatt']) ?? 'accepted', /name of this service/)
  t.equal(passwordProblem('kX8#vQ2!mZ5$northwind', '', ['northwind']), null, 'a strong password may contain one')
  t.same((await createPasswords({ contextWords: ['northwind'] })).contextWords, ['northwind'])
  for (const contextWords of ['northwind', [7], ['abc'], Array<string>(1_001).fill('word')]) {
    await t.rejects(createPasswords({ contextWords: contextWords as string[] }), { code: 'INVALID_OPTIONS' })
  }
})

t.test('a short, long or common password is refused with the reason', async (t) => {
  const bad: Array<[string, RegExp]> = [
    ['', /at least 12/],
    ['elevenchars', /at least 12/],
    ['\u{1F600}'.repeat(11), /at least 12/],
    ['x1 '.repeat(342), /at most 1024/],
    ['administrator', /name of this service/],
    ['ADMINISTRATOR', /name of this service/],
    ['Gatehouse2026!', /name of this service/],
    ['d4tabra1n1234', /name of this service/],
    ['gatehouseadmin', /name of this service/],
    ['password1234', /common/],
    ['Password1234!', /common/],
    ['sun5h1ne2024!', /common/],
    ['P@ssw0rd2024!', /common/],
    ['1234567890123', /common/],
    ['abcdefghijklm', /common/],
    ['qwertyuiopasd', /common/],
    ['aaaaaaaaaaaaaaa', /common/],
    ['abcabcabcabcabc', /common/],
    ['sunshinesunshine', /common/],
    ['1qaz2wsx3edc4rfv', /common/],
    ['johnny.appleseed@example.com', /email/],
    ['johnny.appleseed99', /email/],
    ['Appleseed2024!', /email/],
    ['letmein123456', /common/],
    ['Passwort12345', /common/],
    ['zaq12wsxcde3', /common/],
    ['dr@g0nM@st3r', /common/],
    ['Liverpool1892', /common/]
  ]
  for (const [password, reason] of bad) {
    t.match(passwordProblem(password, 'Johnny.Appleseed@example.com') ?? 'accepted', reason, password.slice(0, 40))
  }
  for (
    const password of ['correct horse battery staple', 'twelve chars',
      '\u{1F600}\u{1F601}\u{1F602}\u{1F603}'.repeat(2) + 'abcd', 'kX8#vQ2!mZ5$', '8392017-jennifer-8472019',
      'kX8#vQ2!kX8#vQ2!', 'sunshine over the old harbour']
  ) {
    t.equal(passwordProblem(password, 'johnny.appleseed@example.com'), null, password)
  }
})

t.test('the check of a long or obfuscated password reads a limited number of characters', async (t) => {
  passwordProblem('the word lists are loaded now')
  const tangled = ['x1 '.repeat(341), 'aA4@'.repeat(256), '4@8({[<36 9#1!|7017+50$2%'.repeat(40), 'iI1!|lL'.repeat(146),
    'password'.repeat(128), '\u{1F600}'.repeat(512)]
  for (const password of tangled) {
    const { read } = await stringWork(() => passwordProblem(password, 'johnny.appleseed@example.com'))
    t.ok(read < 50_000, `${password.slice(0, 20)}…: ${read} characters are read`)
  }
})

t.test('the word lists are loaded by the routes that set passwords, not by the package entry', async (t) => {
  const root = new URL('../../index.ts', import.meta.url).href
  t.notOk((await packagesLoadedBy(`await import(${JSON.stringify(root)})`)).has('@zxcvbn-ts/language-en'))
})
