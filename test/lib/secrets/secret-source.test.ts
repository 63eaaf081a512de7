import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { RotatingSecret } from '../../../lib/secrets/secret-source.js'
import type { SecretSource, SecretSourceOptions } from '../../../lib/secrets/secret-source.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'

function recording () {
  const warnings: unknown[][] = []
  return {
    warnings,
    log: { warn: (...line: unknown[]) => warnings.push(line) } as unknown as SecretSourceOptions<string, string>['log']
  }
}

function open (source: SecretSource<string>, options: Partial<SecretSourceOptions<string, string>> = {}) {
  return RotatingSecret.open(source, {
    name: 'thing: "secret"',
    check (secret) {
      if (secret === '') throw new INVALID_OPTIONS('thing: "secret" is empty')
      return secret.toUpperCase()
    },
    log: recording().log,
    ...options
  })
}

t.test('a plain secret is validated once and returned synchronously', async (t) => {
  t.equal((await open('a')).get(), 'A')
  await t.rejects(open(''), { code: 'INVALID_OPTIONS', message: 'thing: "secret" is empty' })
})

t.test('a function is called at start, sync or async, and again only when its result is stale', async (t) => {
  let asked = 0
  let now = 'a'
  const secret = await open(async () => {
    asked++
    return now
  }, { maxAge: 40 })
  t.equal(secret.get(), 'A')
  now = 'b'
  t.equal(secret.get(), 'A', 'not stale yet')
  await sleep(50)
  const answers = await Promise.all([secret.get(), secret.get(), secret.get()])
  t.same(answers, ['B', 'B', 'B'])
  t.equal(asked, 2, 'concurrent calls share one call of the function')
  t.equal((await open(() => 'c')).get(), 'C')
})

t.test('a function that fails at start stops the start, and its error is not shown', async (t) => {
  for (
    const source of [() => {
      throw new Error('hunter2')
    }, () => Promise.reject(new Error('hunter2'))]
  ) {
    const error = await open(source).then(() => null, (error: Error & { code: string }) => error)
    t.equal(error?.code, 'INVALID_OPTIONS')
    t.match(error?.message, /^thing: "secret": the function returned no secret \(it threw\)/)
    t.notMatch(JSON.stringify([error?.message, error?.stack, error?.cause]), 'hunter2')
  }
  await t.rejects(open(() => new Promise(() => {}), { timeout: 20 }), {
    code: 'INVALID_OPTIONS',
    message: /no response within 20 ms/
  })
  await t.rejects(open(() => ''), { code: 'INVALID_OPTIONS' })
})

t.test('after later failures the last valid secret stays in use, with one warning per outage', async (t) => {
  const { log, warnings } = recording()
  let answer: () => string | Promise<string> = () => 'a'
  const secret = await open(() => answer(), { maxAge: 0, timeout: 20, log })
  const bad = [() => {
    throw new Error('hunter2')
  }, () => '', () => new Promise<string>(() => {})]
  for (const each of bad) {
    answer = each
    t.equal(await secret.get(), 'A')
    await sleep(30)
  }
  t.equal(warnings.length, 1)
  t.notMatch(JSON.stringify(warnings), 'hunter2')
  answer = () => 'b'
  await until(secret, 'B')
  answer = () => ''
  t.equal(await secret.get(), 'B')
  t.equal(warnings.length, 2)
})

t.test('a function that hangs delays only one request until it returns again', async (t) => {
  let answer: () => string | Promise<string> = () => 'a'
  const secret = await open(() => answer(), { maxAge: 0, timeout: 50 })
  answer = () => new Promise(() => {})
  t.type(secret.get(), Promise)
  await secret.get()
  for (let times = 0; times < 5; times++) t.equal(secret.get(), 'A')
  answer = () => 'b'
  await until(secret, 'B')
})

t.test('changed contents of the same returned array take effect', async (t) => {
  const list = ['a']
  const secret = await RotatingSecret.open(() => list, {
    name: 'thing: "secrets"',
    check: (list) => list.join(),
    log: recording().log,
    maxAge: 0
  })
  list.push('b')
  t.equal(await secret.get(), 'a,b')
})

t.test('cached returns the known secret without waiting and refreshes it', async (t) => {
  let now = 'a'
  const secret = await open(async () => now, { maxAge: 0 })
  now = 'b'
  t.equal(secret.cached(), 'A')
  await turn()
  t.equal(secret.cached(), 'B')
  t.equal((await open('plain')).cached(), 'PLAIN')
})

t.test('startRefreshing refreshes a secret without requests until it is stopped', async (t) => {
  const asked = { times: 0 }
  const secret = await open(() => {
    asked.times++
    return 'a'
  }, { maxAge: 10 })
  const stop = secret.startRefreshing()
  while (asked.times < 3) await sleep(10)
  stop()
  const then = asked.times
  await sleep(300)
  t.equal(asked.times, then)
})

t.test('an invalid maximum age stops the start', async (t) => {
  for (const maxAge of [-1, 1.5, NaN, Infinity, 2 ** 31, '1' as unknown as number]) {
    await t.rejects(open('a', { maxAge }), {
      code: 'INVALID_OPTIONS',
      message: /^thing: "secret": "secretMaxAge" must be/
    })
  }
})

/** A failed function is called again in the background. */
async function until (secret: RotatingSecret<string, string>, wanted: string): Promise<void> {
  while (await secret.get() !== wanted) await turn()
}
