import { setImmediate as turn } from 'node:timers/promises'

import { memoryStore } from '../../plugins/token-store/memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

export interface CountingStore {
  store: TokenStore
  /** The keys and webhook ids that were looked up, in order. */
  lookedUp: string[]
  /** Whether look-ups fail. */
  isAway: boolean
}

/**
 * A store of a host's own that remembers nothing: each look-up of a pipeline key or a webhook takes a turn of the
 * event loop.
 */
export function countingStore (): CountingStore {
  const memory = memoryStore()
  const lookedUp: string[] = []
  async function look<Value> (key: string, read: (key: string) => Value): Promise<Awaited<Value>> {
    lookedUp.push(key)
    await turn()
    if (counting.isAway) throw new Error('the database is away')
    return await read(key)
  }
  const counting: CountingStore = {
    lookedUp,
    isAway: false,
    store: {
      ...memory,
      sources: partOf(memory.sources, { resolve: (key) => look(key, (one) => memory.sources.resolve(one)) }),
      webhooks: partOf(memory.webhooks, { resolve: (id) => look(id, (one) => memory.webhooks.resolve(one)) })
    }
  }
  return counting
}

/** Keeps the methods on their object, which may have private members. */
function partOf<Part extends object> (part: Part, overrides: Partial<Part>): Part {
  return new Proxy(part, {
    get (target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(overrides, name) ? overrides : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
