import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { SCRIPT } from '../helpers/token-page.js'
import { keepToken } from '../../web/browser/browser.js'

const script = await readFile(SCRIPT, 'utf8')

t.test('the script is about 2 KB compressed, has no imports and does not use eval', async (t) => {
  t.ok(Buffer.byteLength(script) > 1_000 && Buffer.byteLength(script) < 2_200, `${Buffer.byteLength(script)} bytes`)
  t.notMatch(script, /\beval\b|new Function|innerHTML|sourceMappingURL|\bimport\b|process\.|\?\.|\?\?/)
})

t.test('the script runs without a document', async (t) => {
  const heard: string[] = []
  const keeper = keepToken({ fetch: async () => 'a token', onToken: (token) => heard.push(token) })
  t.equal(await keeper.token(), 'a token')
  t.equal(await keeper.refresh(), 'a token')
  t.same(heard, ['a token'], 'the same token is reported once')
  keeper.stop()
  keeper.stop()
  await t.rejects(keeper.token(), { message: 'stopped' })
  await t.rejects(keeper.refresh(), { message: 'stopped' })
})

for (
  const [status, headers, isFinal] of [
    [408, {}, false],
    [421, {}, false],
    [425, {}, false],
    [429, {}, false],
    [413, { 'retry-after': '1' }, false],
    [413, {}, true],
    [400, {}, true],
    [401, {}, true],
    [403, {}, true],
    [404, {}, true],
    [409, {}, true],
    [410, {}, true],
    [422, {}, true],
    [451, {}, true],
    [500, {}, false],
    [502, {}, false],
    [503, {}, false],
    [504, {}, false]
  ] as const
) {
  const given = Object.keys(headers).length === 0 ? `${status}` : `${status} with a Retry-After`
  t.test(`a response with ${given} is ${isFinal
? 'final'
: 'repeated, and the next one gives ' +
    'the token'}`, async (t) => {
    let times = 0
    const keeper = keepToken({
      fetch: async () => times++ === 0 ? new Response('{}', { status, headers }) : 'a token',
      onError: (error, retryIn) => {
        t.equal(error.status, status)
        t.equal(retryIn === Infinity, isFinal)
      }
    })
    if (isFinal) await keeper.token().then(() => t.fail('a token came'), (error) => t.equal(error.status, status))
    else t.equal(await keeper.token(), 'a token')
    t.equal(times, isFinal ? 1 : 2)
    keeper.stop()
  })
}

t.test('an error of a function with a status of 4xx is final unless HTTP lets a client repeat the request, and ' +
  'any other error is repeated', async (t) => {
  for (
    const [thrown, isFinal] of [
      [{ status: 403 }, true],
      [{ status: 404 }, true],
      [{ status: 413 }, true],
      [{ status: 422 }, true],
      [{ status: 408 }, false],
      [{ status: 421 }, false],
      [{ status: 425 }, false],
      [{ status: 429 }, false],
      [{ status: 500 }, false],
      [{ status: 0 }, false],
      [{}, false],
      [undefined, false],
      ['403', false]
    ] as const
  ) {
    let times = 0
    const waits: number[] = []
    const keeper = keepToken({
      fetch: async () => {
        if (times++ === 0) throw thrown
        return 'a token'
      },
      onError: (error, retryIn) => {
        t.equal(error, thrown)
        waits.push(retryIn)
      }
    })
    if (isFinal) await keeper.token().then(() => t.fail('a token came'), (error) => t.equal(error, thrown))
    else t.equal(await keeper.token(), 'a token')
    t.same(waits.map((wait) => wait === Infinity), [isFinal])
    keeper.stop()
  }
})

t.test('a failed refresh that is not awaited causes no unhandled rejection', async (t) => {
  let unhandled = 0
  const count = () => {
    unhandled++
  }
  process.on('unhandledRejection', count)
  t.teardown(() => process.off('unhandledRejection', count))
  const keeper = keepToken({
    fetch: async () => {
      throw Object.assign(new Error('no'), { status: 401 })
    }
  })
  keeper.refresh()
  await t.rejects(keeper.token(), { message: 'no' })
  keeper.refresh()
  keeper.stop()
  keeper.refresh()
  // Node reports unhandled rejections after the turn.
  await sleep(10)
  t.equal(unhandled, 0)
})

t.test('an unknown option throws at once, and the error names it', async (t) => {
  for (const name of ['life', 'onTokens', 'URL']) {
    const options = { url: '/x', [name]: 300_000 } as Parameters<typeof keepToken>[0]
    t.throws(() => keepToken(options), { name: 'TypeError', message: `keepToken: unknown option ${name}` })
  }
})

t.test('options without a URL or function, or with an invalid ttl, throw immediately', async (t) => {
  for (
    const options of [{}, { url: '' }, { url: '/x', ttl: 0 }, { url: '/x', ttl: 300 }, { url: '/x', ttl: -1 }, {
      url: '/x',
      ttl: NaN
    }, { ttl: 5_000 }]
  ) {
    t.throws(() => keepToken(options as Parameters<typeof keepToken>[0]), {
      name: 'TypeError',
      message: /^keepToken: /
    }, JSON.stringify(options))
  }
})
