import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'

import captcha from '../../../plugins/captcha/index.js'
import type { AltchaOptions } from '../../../plugins/captcha/index.js'
import { deriveInTurn } from '../../../plugins/captcha/derivation-turn.js'
import { openRedis } from '../../../lib/redis/open-redis.js'
import { sharedLimits } from '../../../lib/redis/shared-limits.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { privateRedis } from '../../helpers/redis.js'
import { PRODUCT_SECRET, siteverifyServer } from '../../helpers/siteverify.js'

const KEY = 'altcha-k3y-0123456789-abcdefghijklmnopq'
const encoded = (payload: unknown): string => Buffer.from(JSON.stringify(payload)).toString('base64')

/** An app whose `/x` requires a captcha that is cheap to solve. */
async function guarded (t: Test, options: Partial<AltchaOptions> = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(captcha, { provider: 'altcha', hmacKey: KEY, cost: 10, maxTries: 10, ...options })
  app.get('/x', { config: { gatehouse: { captcha: true } } }, async () => ({ ok: true }))
  const solvedToken = async () => {
    const challenge = (await app.inject('/captcha/challenge')).json()
    return encoded({ challenge, solution: await solveChallenge({ challenge, deriveKey }) })
  }
  return {
    app,
    solvedToken,
    ask: (token?: string, remoteAddress = '127.0.0.1') => presented(app, token, '/x', remoteAddress)
  }
}

async function presented (
  app: FastifyInstance,
  token?: string,
  url = '/x',
  remoteAddress = '127.0.0.1'
): Promise<string> {
  const response = await app.inject({
    url,
    remoteAddress,
    headers: token === undefined ? {} : { 'x-captcha-token': token }
  })
  return response.statusCode === 200 ? 'passes' : `${response.statusCode} ${response.json().error.code}`
}

/** Occupies all places for key derivations and queues this many rounds; the returned function releases them. */
function occupy (rounds: number): () => Promise<unknown> {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const work = [1, 1, rounds].map((each) => deriveInTurn(each, () => held))
  return () => {
    release()
    return Promise.all(work)
  }
}

t.test('an address can present only rateLimit.max ALTCHA tokens, whether they are valid or not', async (t) => {
  const { app, ask, solvedToken } = await guarded(t, { rateLimit: { max: 3, timeWindow: 60_000 } })
  const token = await solvedToken()
  for (let times = 0; times < 5; times++) t.equal(await ask(), '403 CAPTCHA_FAILED', 'a missing token does not count')
  t.same([await ask(token), await ask(token), await ask('forged')], ['passes', '403 CAPTCHA_FAILED',
    '403 CAPTCHA_FAILED'])
  const over = await app.inject({ url: '/x', headers: { 'x-captcha-token': token } })
  t.equal(over.statusCode, 429)
  t.equal(over.json().error.code, 'RATE_LIMITED')
  t.ok(Number(over.headers['retry-after']) > 0)
  t.equal(
    await ask(await solvedToken(), '192.0.2.1'),
    'passes',
    'challenges and other addresses are counted separately'
  )
})

t.test('with rateLimit: false the number of tokens is not limited', async (t) => {
  const { ask } = await guarded(t, { rateLimit: false })
  for (let times = 0; times < 70; times++) t.equal(await ask('forged'), '403 CAPTCHA_FAILED')
})

t.test('at most two derivations run at a time, and the others wait in order', async (t) => {
  const started: number[] = []
  const releases: Array<() => void> = []
  const all = Array.from({ length: 5 }, (_, at) =>
    deriveInTurn(10, () =>
      new Promise<number>((resolve) => {
        started.push(at)
        releases.push(() => resolve(at))
      })))
  for (let released = 0; released < 5; released++) {
    // A derivation starts after a few steps of the microtask queue.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    t.same(started, [0, 1, 2, 3, 4].slice(0, released + 2))
    releases[released]?.()
  }
  t.same(await Promise.all(all), [0, 1, 2, 3, 4])
})

t.test('a derivation that fails frees its place for the next derivation', async (t) => {
  const failing = Array.from({ length: 6 }, () =>
    deriveInTurn(10, async () => {
      throw new Error('no')
    }))
  t.same((await Promise.allSettled(failing)).map(({ status }) => status), Array(6).fill('rejected'))
  t.equal(await deriveInTurn(10, async () => 'yes'), 'yes')
})

t.test('while too many derivations wait the guard responds with 503, and the token still ' +
  'passes afterwards', async (t) => {
  const { app, ask, solvedToken } = await guarded(t)
  const token = await solvedToken()
  const release = occupy(20_000_000)
  t.equal(await ask(token), '503 UNAVAILABLE')
  const challenge = await app.inject('/captcha/challenge')
  t.equal(`${challenge.statusCode} ${challenge.json().error.code}`, '503 UNAVAILABLE')
  t.equal(challenge.headers['retry-after'], '1')
  t.equal(await ask('forged'), '403 CAPTCHA_FAILED', 'an invalid payload needs no derivation')
  await release()
  t.equal(await ask(token), 'passes')
})

t.test('a token that waits for its derivation passes', async (t) => {
  const { ask, solvedToken } = await guarded(t)
  const token = await solvedToken()
  const release = occupy(1)
  const asked = ask(token)
  await release()
  t.equal(await asked, 'passes')
})

t.test('two registrations count separately, also with a counter in Redis', async (t) => {
  const redis = await privateRedis(t)
  if (redis === null) return
  // A busy machine can delay a response, and each registration would then count locally.
  const { link, close } = await openRedis({ url: redis.url, prefix: redis.prefix, commandTimeout: 4_000 })
  const stand = await siteverifyServer(t, 'turnstile')
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    await close()
  })
  await app.register(tokenStore, { store: { ...memoryStore(), sharedLimits: sharedLimits(link) } })
  const tight = { max: 1, timeWindow: 60_000 }
  const product = { secret: PRODUCT_SECRET, siteverifyUrl: stand.url, rateLimit: tight }
  await app.register(async (scope) => {
    await scope.register(captcha, {
      provider: 'altcha',
      hmacKey: KEY,
      challengePath: '/a',
      cost: 10,
      maxTries: 10,
      rateLimit: tight
    })
    scope.get('/a/x', { config: { gatehouse: { captcha: true } } }, async () => ({}))
  })
  await app.register(async (scope) => {
    await scope.register(captcha, {
      provider: 'altcha',
      hmacKey: KEY,
      challengePath: '/b',
      cost: 10,
      maxTries: 10,
      rateLimit: tight
    })
    scope.get('/b/x', { config: { gatehouse: { captcha: true } } }, async () => ({}))
  })
  for (
    const [path, provider, hostname] of [['/c', 'turnstile', 'c.example.com'], ['/d', 'turnstile', 'd.example.com'], [
      '/e',
      'hcaptcha',
      'd.example.com'
    ]] as const
  ) {
    await app.register(async (scope) => {
      await scope.register(captcha, { provider, hostnames: [hostname], ...product })
      scope.get(`${path}/x`, { config: { gatehouse: { captcha: true } } }, async () => ({}))
    })
  }
  for (const path of ['/a', '/b']) {
    t.same(
      [(await app.inject(path)).statusCode, (await app.inject(path)).statusCode],
      [200, 429],
      `challenges of ${path}`
    )
  }
  for (const path of ['/a', '/b', '/c', '/d', '/e']) {
    t.same([await presented(app, 'forged', `${path}/x`), await presented(app, 'forged', `${path}/x`)], [
      '403 CAPTCHA_FAILED',
      '429 RATE_LIMITED'
    ], path)
  }
})
