import { WindowStore } from './window.js'
import type { SharedLimits } from '../../contracts/token-store/index.js'

type Incr = WindowStore['incr']

/** A store for `@fastify/rate-limit` that counts with the other instances; while that can't be done this process counts for itself. */
export function sharedWindowStore (limits: SharedLimits, name: string): typeof WindowStore {
  return class SharedWindowStore extends WindowStore {
    override incr (...[key, callback, timeWindow]: Parameters<Incr>): void {
      const alone = () => super.incr(key, callback, timeWindow)
      limits.count(`${name}${key}`, timeWindow).then((counted) => counted === null ? alone() : callback(null, counted), alone)
    }

    override child (options: object): WindowStore {
      return new SharedWindowStore(options)
    }
  }
}
