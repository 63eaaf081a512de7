import { setImmediate as turn } from 'node:timers/promises'

import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { Analytics } from '@segment/analytics-node'

import type { SdkCall, SdkMethods } from './sdk-calls.js'

export interface NodeSdk {
  /** What it gave up on. */
  errors: unknown[]
  send (calls: readonly SdkCall[]): void
  /** Resolves when the fate of all calls is known; then nothing more can be sent. */
  drained (): Promise<void>
}

export interface SdkTarget {
  origin: string
  key: string
}

/** `statuses`: of the answers it got. */
export function segmentSdk ({ origin, key }: SdkTarget): NodeSdk & { statuses: unknown[] } {
  const analytics = new Analytics({ writeKey: key, host: origin })
  const errors: unknown[] = []
  analytics.on('error', (error) => errors.push(error))
  const statuses: unknown[] = []
  analytics.on('http_response', ({ status }) => statuses.push(status))
  const sdk = analytics as unknown as SdkMethods
  return {
    errors,
    statuses,
    send (calls) { for (const { type, message } of calls) sdk[type](message) },
    drained: () => analytics.closeAndFlush()
  }
}

/** By itself it repeats a batch three times and then drops it, which `retryCount` mends. */
export function rudderSdk ({ origin, key }: SdkTarget, options: RudderAnalytics.constructorOptions = {}): NodeSdk {
  const errors: unknown[] = []
  const analytics = new RudderAnalytics(key, {
    dataPlaneUrl: origin, retryCount: 10, logLevel: 'none', errorHandler: (error) => errors.push(error), ...options
  })
  const sdk = analytics as unknown as SdkMethods
  const waiting = new Set<string>()
  return {
    errors,
    send (calls) {
      for (const { type, message } of calls) {
        waiting.add(message.messageId)
        sdk[type](message, () => { waiting.delete(message.messageId) })
      }
    },
    async drained () {
      for (; waiting.size > 0; await turn()) await analytics.flush()
    }
  }
}
