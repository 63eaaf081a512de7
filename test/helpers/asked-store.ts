import { setImmediate as turn } from 'node:timers/promises'

import { memoryStore } from '../../plugins/token-store/memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

export interface AskedStore {
  store: TokenStore
  /** The keys and webhook ids that were looked up, in order. */
  asked: string[]
  /** Whether look-ups fail. */
  isAway: boolean
}

/**
 * A store of a host's own that remembers nothing: each look-up of a pipeline key or a webhook takes a turn of the
 * event loop.
 */
export function askedStore (): AskedStore {
  const kept = memoryStore()
  const asked: string[] = []
  async function look<Value> (key: string, read: (key: string) => Value): Promise<Awaited<Value>> {
    asked.push(key)
    await turn()
    if (made.isAway) throw new Error('the database is away')
    return await read(key)
  }
  const made: AskedStore = {
    asked,
    isAway: false,
    store: {
      ...kept,
      sources: partOf(kept.sources, { resolve: (key) => look(key, (one) => kept.sources.resolve(one)) }),
      webhooks: partOf(kept.webhooks, { resolve: (id) => look(id, (one) => kept.webhooks.resolve(one)) })
    }
  }
  return made
}

/** Keeps the methods on their object, which may have private members. */
function partOf<Part extends object> (part: Part, own: Partial<Part>): Part {
  return new Proxy(part, {
    get (target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(own, name) ? own : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
