import type { Registry } from 'prom-client'

import type { PromClient } from './instruments.js'

let shared: Registry | undefined

/**
 * Returns the registry of prom-client's default metrics: CPU, memory, event-loop delay, garbage collection. They
 * describe the process, so all registrations share them: their observers cannot be stopped.
 */
export function processRegistry ({ Registry, collectDefaultMetrics }: PromClient): Registry {
  if (shared === undefined) {
    shared = new Registry()
    collectDefaultMetrics({ register: shared })
  }
  return shared
}
