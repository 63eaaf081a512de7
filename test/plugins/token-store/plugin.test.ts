import cluster from 'node:cluster'

import Fastify from 'fastify'
import t from 'tap'

import tokenStore, { memoryStore } from '../../../plugins/token-store/index.js'
import type { TokenStore, TokenStoreOptions } from '../../../plugins/token-store/index.js'
import { UNAVAILABLE } from '../../../lib/errors.js'

/** A memory store that records the calls of sweep and close. */
function watched (overrides: Partial<TokenStore> = {}) {
  const calls: string[] = []
  const store: TokenStore = {
    ...memoryStore(),
    sweep: async ({ auditRetention }) => {
      calls.push(`sweep ${auditRetention}`)
    },
    close: async () => {
      calls.push('close')
    },
    ...overrides
  }
  return { store, calls }
}

function logged () {
  const lines: Array<{ level: number, msg: string }> = []
  return {
    lines,
    logger: {
      level: 'info',
      stream: {
        write: (line: string) => {
          lines.push(JSON.parse(line))
        }
      }
    }
  }
}

t.test('a memory store in a cluster worker causes a warning, whether the host or the plugin created it', async (t) => {
  const { isWorker } = cluster
  t.teardown(() => {
    Object.assign(cluster, { isWorker })
  })
  for (
    const [inWorker, options, warnings] of [[true, { store: memoryStore() }, 1], [true, {}, 1], [false, {
      store: memoryStore()
    }, 0]] as const
  ) {
    Object.assign(cluster, { isWorker: inWorker })
    const { lines, logger } = logged()
    const app = Fastify({ logger })
    t.teardown(() => app.close())
    await app.register(tokenStore, options)
    t.equal(lines.filter(({ level, msg }) => level === 40 && msg.includes('cluster worker')).length, warnings)
  }
})

t.test('without a store data is kept in memory, and a warning is logged', async (t) => {
  const { lines, logger } = logged()
  const app = Fastify({ logger })
  t.teardown(() => app.close())
  await app.register(tokenStore)
  t.equal(await app.tokenStore.claim('a', 1_000), true)
  t.match(lines, [{ level: 40, msg: /memory/ }])
})

t.test('a given store is used without a warning and closed with the app', async (t) => {
  const { lines, logger } = logged()
  const { store, calls } = watched()
  const app = Fastify({ logger })
  await app.register(tokenStore, { store })
  t.equal(app.tokenStore, store)
  t.same(lines, [])
  t.same(calls, [])
  await app.close()
  t.same(calls, ['close'])
})

t.test('expired entries are swept periodically, audit entries after 90 days by default', async (t) => {
  const swept = deferred()
  const { store, calls } = watched({ sweep: async ({ auditRetention }) => swept.resolve(auditRetention) })
  const app = Fastify()
  await app.register(tokenStore, { store, sweepEvery: 1 })
  // The timer alone does not keep a process alive.
  await app.listen({ port: 0 })
  t.equal(await swept.promise, 90 * 86_400_000)
  await app.close()
  t.same(calls, ['close'])
})

t.test('a failed sweep is logged and repeated, and the store is closed after a running sweep ends', async (t) => {
  const { lines, logger } = logged()
  const calls: string[] = []
  const third = deferred()
  let release = () => {}
  const { store } = watched({
    async sweep () {
      calls.push('sweep')
      if (calls.length < 3) throw new UNAVAILABLE()
      third.resolve(0)
      await new Promise<void>((resolve) => {
        release = resolve
      })
      calls.push('swept')
    },
    close: async () => {
      calls.push('close')
    }
  })
  const app = Fastify({ logger })
  await app.register(tokenStore, { store, sweepEvery: 1 })
  await app.listen({ port: 0 })
  await third.promise
  const closed = app.close()
  release()
  await closed
  t.same(calls, ['sweep', 'sweep', 'sweep', 'swept', 'close'])
  t.equal(lines.filter(({ level, msg }) => level === 40 && msg.includes('the next sweep retries')).length, 2)
})

t.test('a wrong option stops the start with an error that names it', async (t) => {
  const cases: Array<[unknown, RegExp]> = [
    [{ store: {} }, /"store".*guestTokens/],
    [{ store: { ...memoryStore(), claim: undefined } }, /"store".*claim/],
    [{ store: null }, /"store"/],
    [{ store: 'memory' }, /"store"/],
    [{ auditRetention: 0 }, /"auditRetention"/],
    [{ auditRetention: NaN }, /"auditRetention"/],
    [{ auditRetention: '90' }, /"auditRetention"/],
    [{ refusedRetention: 0 }, /"refusedRetention"/],
    [{ sweepEvery: -1 }, /"sweepEvery"/],
    [{ sweepEvery: 2 ** 31 }, /"sweepEvery"/],
    [{ sweepEvery: '1' }, /"sweepEvery"/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    await t.rejects(async () => await app.register(tokenStore, options as TokenStoreOptions), {
      code: 'INVALID_OPTIONS',
      message
    })
  }
})

function deferred () {
  let resolve: (value: number) => void = () => {}
  const promise = new Promise<number>((_resolve) => {
    resolve = _resolve
  })
  return { promise, resolve }
}
