import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import t from 'tap'

import guestToken from '../../../../routes/databrain/guest-token/index.js'
import type { GuestTokenOptions } from '../../../../routes/databrain/guest-token/index.js'
import { generateSecret } from '../../../../signing/secret-strength/index.js'
import { signUserReference } from '../../../../signing/user-reference.js'
import { API_KEY, guestTokenApp, PATH, PROXY_KEY, REFERENCE_KEY } from '../../../helpers/guest-token.js'
import { stopClock } from '../../../helpers/stopped-clock.js'
import { reply } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'

const mintAnew: Answer = (call, response) => reply({ token: randomUUID() })(call, response)

t.test('apiKey is a function, and a changed key is used to mint every token again', async (t) => {
  for (const isAsync of [false, true]) {
    const keys = { now: 'dbn_old' }
    const { databrain, ask } = await guestTokenApp(t, {
      apiKey: isAsync ? async () => keys.now : () => keys.now,
      secretMaxAge: 0
    })
    databrain.answer = mintAnew
    const old = (await ask('ann')).json().token
    t.equal((await ask('ann')).json().token, old, 'the same key keeps the token')
    keys.now = 'dbn_new'
    const next = (await ask('ann')).json().token
    t.not(next, old)
    t.equal((await ask('ann')).json().token, next)
    t.same(databrain.calls.map(({ headers }) => headers.authorization), ['Bearer dbn_old', 'Bearer dbn_new'])
  }
})

t.test('by default a new API key is in use after 2 s, and the function is called once per key', async (t) => {
  const asked = { times: 0 }
  const keys = { now: 'dbn_old' }
  const clock = stopClock(t)
  const { databrain, ask } = await guestTokenApp(t, {
    apiKey: async () => {
      asked.times++
      return keys.now
    },
    cache: false
  })
  await ask('ann')
  keys.now = 'dbn_new'
  for (const [time, key] of [[1_999, 'dbn_old'], [1, 'dbn_new'], [0, 'dbn_new']] as const) {
    clock.advance(time)
    await ask('ann')
    t.equal(databrain.calls.at(-1)?.headers.authorization, `Bearer ${key}`)
  }
  t.equal(asked.times, 2)
})

t.test('functions rotate the proxy keys and the reference keys of the route', async (t) => {
  const [proxyKey, referenceKey] = [generateSecret(), generateSecret()]
  const keys = { proxy: [PROXY_KEY], reference: [REFERENCE_KEY] }
  const { app } = await guestTokenApp(t, {
    proxyKeys: async () => keys.proxy,
    userReferenceKeys: () => keys.reference,
    secretMaxAge: 0
  })
  const status = async (proxy: string, reference: string) =>
    (await app.inject({
      url: `${PATH}?ref=${signUserReference({ sub: 'ann' }, { key: reference, audience: 'gatehouse-embed' })}`,
      headers: { authorization: `Bearer ${proxy}` }
    })).statusCode
  t.same([await status(PROXY_KEY, REFERENCE_KEY), await status(proxyKey, REFERENCE_KEY),
    await status(PROXY_KEY, referenceKey)], [200, 401, 401])
  keys.proxy = [proxyKey]
  keys.reference = [referenceKey]
  t.same([await status(proxyKey, referenceKey), await status(PROXY_KEY, referenceKey),
    await status(proxyKey, REFERENCE_KEY)], [200, 401, 401])
})

t.test('an API key function that fails later leaves the previous key in use', async (t) => {
  let answer: () => string = () => API_KEY
  const { databrain, ask } = await guestTokenApp(t, { apiKey: () => answer(), secretMaxAge: 0, cache: false })
  for (
    const bad of [() => {
      throw new Error('down')
    }, () => '', () => 'a b']
  ) {
    answer = bad
    t.equal((await ask('ann')).statusCode, 200)
  }
  t.same(new Set(databrain.calls.map(({ headers }) => headers.authorization)), new Set([`Bearer ${API_KEY}`]))
})

t.test('a function that fails or returns an invalid secret stops the start without showing the secret', async (t) => {
  const good = { proxyKeys: [PROXY_KEY], userReferenceKeys: [REFERENCE_KEY], apiKey: API_KEY, dataAppName: 'sales' }
  const bad: Array<Partial<Record<keyof GuestTokenOptions, unknown>>> = [
    ...[() => '', async () => 'sh0rt key', () => {
      throw new Error('sh0rt')
    }, async () => {
      throw new Error('sh0rt')
    }, () => null].map((apiKey) => ({ apiKey })),
    ...[() => [], async () => ['sh0rt'], () => 'sh0rt', async () => {
      throw new Error('sh0rt')
    }].flatMap((keys) => [{ proxyKeys: keys }, { userReferenceKeys: keys }]),
    ...[-1, 1.5, NaN, '5', Infinity].map((secretMaxAge) => ({ secretMaxAge }))
  ]
  for (const options of bad) {
    const lines: string[] = []
    const app = Fastify({
      logger: {
        level: 'trace',
        stream: {
          write: (line: string) => {
            lines.push(line)
          }
        }
      }
    })
    const error = await app.register(guestToken, { ...good, ...options } as unknown as GuestTokenOptions).ready()
      .then(() => null, (error: Error & { code: string }) => error)
    t.equal(error?.code, 'INVALID_OPTIONS', String(Object.entries(options)))
    t.match(error?.message, /^guest-token: "(apiKey|proxyKeys|userReferenceKeys)"/)
    t.notMatch(`${error?.stack}${lines.join('')}`, 'sh0rt')
    await app.close()
  }
})
