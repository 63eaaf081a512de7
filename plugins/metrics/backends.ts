import type { FastifyInstance } from 'fastify'

import type { PoolUsage, ReadPools } from '../../contracts/backend-load.js'
import type { EventSink, SinkLoad } from '../../contracts/event-sink.js'
import type { StoreLoad, TokenStore } from '../../contracts/token-store/index.js'
import { Growth } from './growth.js'
import type { Collectors, Instruments } from './instruments.js'

type Backends = FastifyInstance & { eventSink?: EventSink, tokenStore?: TokenStore }

/** Reads the counters of the token store and the event sink of an app, which may be registered later. */
export class BackendCollector {
  readonly #app: Backends
  readonly #growth = new Growth()

  constructor (app: FastifyInstance) {
    this.#app = app
  }

  /** The counters of the sink; `undefined` without a sink, and for a sink that has none. */
  get sink (): SinkLoad | undefined {
    return this.#app.eventSink?.load
  }

  /** Returns the functions that update the metrics. `instruments` is read when they are called. */
  collectors (instruments: () => Instruments): Collectors {
    return {
      lookups: () => this.#lookups(instruments()),
      events: () => this.#events(instruments()),
      pendingEvents: () => instruments().pendingEvents.set(this.sink?.pending ?? 0),
      connections: () => this.#connections(instruments())
    }
  }

  get #store (): StoreLoad | undefined {
    return this.#app.tokenStore?.load
  }

  #lookups ({ lookups }: Instruments): void {
    for (const [kind, counts] of Object.entries(this.#store?.lookups ?? {})) {
      for (const level of ['process', 'shared', 'database'] as const) {
        lookups.at(kind, level).add(this.#growth.of(`${kind} ${level}`, counts[level]))
      }
    }
  }

  #events ({ events }: Instruments): void {
    const { sink } = this
    if (sink === undefined) return
    events.at('accepted').add(this.#growth.of('stored', sink.stored))
    events.at('deduplicated').add(this.#growth.of('duplicates', sink.duplicates))
  }

  #connections ({ connections }: Instruments): void {
    connections.reset()
    const readers = new Set([this.#store?.pools, this.sink?.pools])
    for (const { pool, inUse, idle, waiting } of [...readers].flatMap(readAll)) {
      connections.inc({ pool, state: 'in_use' }, inUse)
      connections.inc({ pool, state: 'idle' }, idle)
      connections.inc({ pool, state: 'waiting' }, waiting)
    }
  }
}

function readAll (read: ReadPools | undefined): readonly PoolUsage[] {
  return read === undefined ? [] : read()
}
