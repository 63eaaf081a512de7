import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import { memorySink } from '../../plugins/event-sink/memory/index.js'
import type { ReadableEventSink } from '../../contracts/event-sink.js'
import tokenStore from '../../plugins/token-store/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

const KINDS = ['memory', 'pglite', 'postgres', 'redis'] as const
export type SqlKind = Exclude<typeof KINDS[number], 'memory'>

export interface Backend {
  store: TokenStore
  sink: ReadableEventSink
}

export interface BackendOptions {
  /** The clock, epoch milliseconds. Default: that of the machine. */
  now?: () => number
}

/**
 * An empty store and sink for one test: in memory, or where GATEHOUSE_TEST_STORE says: `pglite`, `postgres`, or
 * `redis`, which is
 * PostgreSQL with Redis. Ask for them before the teardown that closes what uses them: after it another test may get
 * the same tables.
 */
export async function backend (test: Pick<Test, 'teardown'>, { now }: BackendOptions = {}): Promise<Backend> {
  const kind = kindOfStore()
  const options = now === undefined ? {} : { now }
  if (kind === 'memory') return { store: memoryStore(options), sink: memorySink() }
  // Not before it is needed: most runs never load a driver.
  return await (await import('./sql-backend.js')).sqlBackend(test, kind, options)
}

/** Of a test that makes many apps, as instances of one server would share. */
const shared = new WeakMap<object, Promise<Backend>>()

/**
 * Makes an app keep there what it would keep in a memory of its own; the apps of one test that go by the machine's
 * clock keep it
 * together. Ask for it as early as for `backend`.
 */
export async function storeByDefault (
  test: Pick<Test, 'teardown'>,
  { now }: BackendOptions = {}
): Promise<(app: FastifyInstance) => Promise<void>> {
  if (kindOfStore() === 'memory') return async () => {}
  const own = now === undefined ? shared.get(test) ?? backend(test) : backend(test, { now })
  if (now === undefined) shared.set(test, own)
  const { store } = await own
  return async (app) => {
    if (!app.hasDecorator('tokenStore')) await app.register(tokenStore, { store: { ...store, close: async () => {} } })
  }
}

function kindOfStore (): typeof KINDS[number] {
  const asked = process.env.GATEHOUSE_TEST_STORE ?? 'memory'
  const kind = KINDS.find((known) => known === asked)
  if (kind === undefined) throw new Error(`GATEHOUSE_TEST_STORE must be one of ${KINDS.join(', ')}, not ${asked}`)
  return kind
}
