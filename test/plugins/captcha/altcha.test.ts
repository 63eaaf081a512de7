import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { createChallenge, solveChallenge } from 'altcha-lib'
import type { Challenge, Payload } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'

import captcha from '../../../plugins/captcha/index.js'
import type { AltchaOptions } from '../../../plugins/captcha/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { hmacSha256 } from '../../../signing/digest.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { storeByDefault } from '../../helpers/backend.js'
import { logReader } from '../../helpers/log-reader.js'

const KEY = 'altcha-k3y-0123456789-abcdefghijklmnopq'
const OTHER_KEY = generateSecret()

/** An app with cheap challenges: `/x` requires a captcha, `/login` a captcha with the action `login`. */
async function guarded (t: Test, options: Partial<AltchaOptions> = {}, store?: TokenStore) {
  const log = logReader()
  const giveStore = await storeByDefault(t)
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  if (store !== undefined) await app.register(tokenStore, { store: { ...store, close: async () => {} } })
  await giveStore(app)
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  await app.register(captcha, { provider: 'altcha', hmacKey: KEY, cost: 10, maxTries: 30, ...options })
  app.get('/x', { config: { gatehouse: { captcha: true } } }, async () => ({ ok: true }))
  app.get('/login', { config: { gatehouse: { captcha: { action: 'login' } } } }, async () => ({ ok: true }))
  const fetchChallenge = async (action?: string): Promise<Challenge> =>
    (await app.inject(`/captcha/challenge${action === undefined ? '' : `?action=${action}`}`)).json()
  const ask = async (token?: string, url = '/x') => {
    const response = await app.inject({ url, headers: token === undefined ? {} : { 'x-captcha-token': token } })
    return response.statusCode === 200 ? 'passes' : `${response.statusCode} ${response.json().error.code}`
  }
  return { app, fetchChallenge, ask, log }
}

async function solved (challenge: Challenge): Promise<Payload> {
  const solution = await solveChallenge({ challenge, deriveKey })
  if (solution === null) throw new Error('not solved')
  return { challenge, solution }
}

const encoded = (payload: unknown): string => Buffer.from(JSON.stringify(payload)).toString('base64')

t.test('a solved challenge passes once', async (t) => {
  const { fetchChallenge, ask } = await guarded(t)
  const token = encoded(await solved(await fetchChallenge()))
  t.equal(await ask(token), 'passes')
  t.equal(await ask(token), '403 CAPTCHA_FAILED')
})

t.test('a challenge of the default difficulty passes once', async (t) => {
  const { app, ask } = await guarded(t, { cost: 1_000, maxTries: 4_000 })
  const before = Date.now()
  const response = await app.inject('/captcha/challenge')
  const after = Date.now()
  t.equal(response.headers['cache-control'], 'no-store')
  const challenge = response.json()
  t.match(challenge, { parameters: { algorithm: 'PBKDF2/SHA-256', cost: 1_000, keyLength: 32 } })
  const made = (challenge.parameters.expiresAt - 600) * 1_000
  t.ok(made >= before - 1_000 && made <= after + 1_000, 'it expires in ten minutes')
  t.equal(await ask(encoded(await solved(challenge))), 'passes')
})

t.test('a used solution in another encoding is refused', async (t) => {
  const { fetchChallenge, ask } = await guarded(t)
  const { challenge, solution } = await solved(await fetchChallenge())
  t.equal(await ask(encoded({ challenge, solution })), 'passes')
  const turned = Object.fromEntries(Object.entries(challenge.parameters).reverse())
  for (
    const again of [
      { solution, challenge },
      { challenge: { ...challenge, parameters: turned }, solution },
      { challenge, solution: { ...solution, time: 1 } },
      { challenge, solution, more: 1 },
      { challenge: { ...challenge, codeChallenge: { image: 'x' } }, solution }
    ]
  ) t.equal(await ask(encoded(again)), '403 CAPTCHA_FAILED')
  t.equal(await ask(encoded({ challenge, solution }).replace(/=+$/, '')), '403 CAPTCHA_FAILED')
})

t.test('exactly one of ten concurrent requests with one solution passes, over two instances with ' +
  'one store', async (t) => {
  const first = await guarded(t)
  const second = await guarded(t, {}, first.app.tokenStore)
  const token = encoded(await solved(await first.fetchChallenge()))
  const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? first : second).ask(token)))
  t.equal(answers.filter((answer) => answer === 'passes').length, 1)
  t.equal(answers.filter((answer) => answer === '403 CAPTCHA_FAILED').length, 9)
  const handed = encoded(await solved(await first.fetchChallenge()))
  t.equal(await second.ask(handed), 'passes', 'an instance accepts a challenge of the other instance')
  t.equal(await first.ask(handed), '403 CAPTCHA_FAILED')
})

t.test('a challenge or solution with any alteration is refused', async (t) => {
  const { fetchChallenge, ask, log } = await guarded(t)
  const good = await solved(await fetchChallenge())
  const { challenge, solution } = good
  const parameters = (change: object) => ({
    challenge: { ...challenge, parameters: { ...challenge.parameters, ...change } },
    solution
  })
  const flipped = (text: string) => (text.startsWith('0') ? '1' : '0') + text.slice(1)
  const altered: Record<string, unknown> = {
    salt: parameters({ salt: flipped(challenge.parameters.salt) }),
    nonce: parameters({ nonce: flipped(challenge.parameters.nonce) }),
    'key prefix': parameters({ keyPrefix: challenge.parameters.keyPrefix.slice(0, 2) }),
    cost: parameters({ cost: 1 }),
    expiry: parameters({ expiresAt: (challenge.parameters.expiresAt ?? 0) + 3_600 }),
    'more data': parameters({ data: { action: 'login' } }),
    algorithm: parameters({ algorithm: 'SHA-256' }),
    'an additional parameter': parameters({ keySignature: 'ab' }),
    signature: { challenge: { ...challenge, signature: flipped(challenge.signature ?? '') }, solution },
    'an empty signature': { challenge: { ...challenge, signature: '' }, solution },
    'no signature': { challenge: { parameters: challenge.parameters }, solution },
    counter: { challenge, solution: { ...solution, counter: solution.counter + 1 } },
    'a counter above 32 bits': { challenge, solution: { ...solution, counter: solution.counter + 2 ** 32 } },
    'the counter as a string': { challenge, solution: { ...solution, counter: String(solution.counter) } },
    'derived key': { challenge, solution: { ...solution, derivedKey: flipped(solution.derivedKey) } },
    'the prefix as the key': { challenge, solution: { counter: 1, derivedKey: challenge.parameters.keyPrefix } },
    'another solution': { challenge, solution: (await solved(await fetchChallenge())).solution }
  }
  for (const [what, payload] of Object.entries(altered)) {
    t.equal(await ask(encoded(payload)), '403 CAPTCHA_FAILED', what)
  }
  t.equal(await ask(encoded(good)), 'passes', 'the altered payloads did not use it up')
  t.match(log.text(), /the challenge was not signed with this key/)
  t.match(log.text(), /the solution is wrong/)
})

t.test('an invalid payload is refused', async (t) => {
  const { ask } = await guarded(t)
  const { challenge, solution } = await solved(await (await guarded(t)).fetchChallenge())
  const deep = '['.repeat(700) + ']'.repeat(700)
  const texts = [undefined, '', 'x', '{}',
    ...[null, 1, [], {}, { challenge }, { solution }, { challenge: null, solution: null }, { challenge, solution: [] },
      { challenge: [challenge], solution }, {
        algorithm: 'SHA-256',
        challenge: 'ab',
        number: 1,
        salt: 'x',
        signature: 'y'
      }, { verificationData: 'verified=true', signature: 'ab', algorithm: 'SHA-256', verified: true }].map(encoded),
    Buffer.from(deep).toString('base64'), Buffer.from('\u0000').toString('base64'),
    encoded({ challenge, solution, pad: 'x'.repeat(3_000) })]
  for (const text of texts) t.equal(await ask(text), '403 CAPTCHA_FAILED', `${text?.slice(0, 30)}`)
})

t.test('a challenge signed with another key, or with the same key for another purpose, is refused', async (t) => {
  const { ask } = await guarded(t)
  const stranger = await guarded(t, { hmacKey: OTHER_KEY })
  const theirs = encoded(await solved(await stranger.fetchChallenge()))
  t.equal(await ask(theirs), '403 CAPTCHA_FAILED')
  t.equal(await stranger.ask(theirs), 'passes')
  const made = (hmacSignatureSecret: string | undefined, expiresAt: number | undefined) =>
    createChallenge({
      algorithm: 'PBKDF2/SHA-256',
      cost: 1,
      counter: 1,
      deriveKey,
      ...hmacSignatureSecret === undefined ? {} : { hmacSignatureSecret },
      ...expiresAt === undefined ? {} : { expiresAt }
    })
  const soon = Math.ceil(Date.now() / 1000) + 100
  t.equal(
    await ask(encoded(await solved(await made(KEY, soon)))),
    '403 CAPTCHA_FAILED',
    'signed with the option itself'
  )
  t.equal(await ask(encoded(await solved(await made(undefined, soon)))), '403 CAPTCHA_FAILED', 'not signed')
  const own = hmacSha256(KEY, 'fastify-gatehouse altcha challenge').toString('hex')
  t.equal(await ask(encoded(await solved(await made(own, undefined)))), '403 CAPTCHA_FAILED', 'without an expiry')
  t.equal(await ask(encoded(await solved(await made(own, soon)))), 'passes')
})

t.test('a challenge is refused after its ttl, by the clock that the app provides', async (t) => {
  let now = Date.now()
  const { fetchChallenge, ask, log } = await guarded(t, { ttl: 60_000, now: () => now })
  const [one, two] = [encoded(await solved(await fetchChallenge())), encoded(await solved(await fetchChallenge()))]
  now += 59_000
  t.equal(await ask(one), 'passes')
  now += 2_000
  t.equal(await ask(two), '403 CAPTCHA_FAILED')
  t.match(log.text(), /the challenge has expired/)
})

t.test('a route with an action accepts only challenges for that action', async (t) => {
  const { app, fetchChallenge, ask } = await guarded(t)
  for (const action of [undefined, 'signup', 'LOGIN']) {
    t.equal(await ask(encoded(await solved(await fetchChallenge(action))), '/login'), '403 CAPTCHA_FAILED', `${action}`)
  }
  t.equal(await ask(encoded(await solved(await fetchChallenge('login'))), '/login'), 'passes')
  t.equal(await ask(encoded(await solved(await fetchChallenge('login')))), 'passes', 'a route without an action')
  for (const query of ['action=', 'action=a%20b', `action=${'x'.repeat(101)}`, 'action=a&action=b', 'action[a]=b%22']) {
    const response = await app.inject(`/captcha/challenge?${query}`)
    if (response.statusCode === 200) t.equal(response.json().parameters.data, undefined, query)
    else t.equal(`${response.statusCode} ${response.json().error.code}`, '400 INVALID_REQUEST', query)
  }
})

t.test('the challenge route limits each address, allows only configured sites and needs no ' +
  'captcha itself', async (t) => {
  const site = 'https://shop.example.com'
  const { app } = await guarded(t, {
    rateLimit: { max: 2, timeWindow: 60_000 },
    cors: { origins: [site] },
    global: true,
    challengePath: '/own/path'
  })
  const get = (origin?: string) => app.inject({ url: '/own/path', headers: origin === undefined ? {} : { origin } })
  const first = await get(site)
  t.equal(first.statusCode, 200)
  t.equal(first.headers['access-control-allow-origin'], site)
  t.equal((await get('https://evil.example.com')).json().error.code, 'ORIGIN_NOT_ALLOWED')
  t.equal((await get()).statusCode, 200)
  const over = await get()
  t.equal(over.statusCode, 429)
  t.equal(over.json().error.code, 'RATE_LIMITED')
  t.equal(
    (await app.inject({ method: 'HEAD', url: '/own/path' })).statusCode,
    403,
    'the path has no HEAD route, so the guarded 404 handler responds'
  )
})

t.test('a weak or missing key and numbers out of range stop the start', async (t) => {
  const bad: Array<[string, object]> = [
    ['hmacKey', { hmacKey: undefined }],
    ['hmacKey', { hmacKey: 'short' }],
    ['hmacKey', { hmacKey: () => 'a'.repeat(40) }],
    ['challengePath', { challengePath: 'x' }],
    ['ttl', { ttl: 0 }],
    ['ttl', { ttl: 500 }],
    ['cost', { cost: 0.5 }],
    ['maxTries', { maxTries: 2 ** 33 }],
    ['global', { global: { action: 'a b' } }],
    ['cors', { cors: {} }],
    ['cost', { cost: 2 ** 31 }],
    ['ttl', { ttl: Number.MAX_SAFE_INTEGER }],
    ['globall', { globall: true }],
    ['hostnames', { hostnames: ['shop.example.com'] }],
    ['secret', { secret: 'x' }]
  ]
  for (const [name, options] of bad) {
    const app = Fastify()
    await app.register(tokenStore)
    const error = await app.register(captcha, { provider: 'altcha', hmacKey: KEY, ...options } as AltchaOptions).ready()
      .then(() => null, (error: Error & { code: string }) => error)
    t.equal(error?.code, 'INVALID_OPTIONS', JSON.stringify(options))
    t.match(error?.message, name)
    await app.close()
  }
})

t.test('neither the key nor a solution reaches the log', async (t) => {
  const { fetchChallenge, ask, log } = await guarded(t)
  const payload = await solved(await fetchChallenge())
  for (let times = 0; times < 2; times++) await ask(encoded(payload))
  for (const secret of [KEY, payload.solution.derivedKey, payload.challenge.signature ?? '', encoded(payload)]) {
    t.notOk(log.text().includes(secret))
  }
})
