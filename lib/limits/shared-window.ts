import { WindowStore } from './window.js'
import type { SharedLimits } from '../../contracts/token-store/index.js'

type Incr = WindowStore['incr']

/**
 * Creates a store for `@fastify/rate-limit` that shares counts between instances and falls back to counting locally.
 */
export function sharedWindowStore (limits: SharedLimits, name: string): typeof WindowStore {
  return class SharedWindowStore extends WindowStore {
    override incr (...[key, callback, timeWindow]: Parameters<Incr>): void {
      const alone = () => super.incr(key, callback, timeWindow)
      limits.count(`${name}${key}`, timeWindow).then(
        (counted) => counted === null ? alone() : callback(null, counted),
        alone
      )
    }

    override child (options: object): WindowStore {
      return new SharedWindowStore(options)
    }
  }
}
