import type { FastifyInstance } from 'fastify'

import { waitAtMost } from '../lib/deadline.js'
import tracing from '../plugins/tracing/index.js'
import { registeredProvider } from '../plugins/tracing/provider.js'
import type { Config } from './config/index.js'
import { missingPackages } from './optional-packages.js'

/** Maximum time of a stop in which the SDK exports the spans that it has collected, in milliseconds. */
const EXPORT_LIMIT = 1_000

/** Traces the requests of the app if an SDK of OpenTelemetry was loaded before the server, by `node --import`. */
export async function traceRequests (app: FastifyInstance, mode: Config['tracing']): Promise<void> {
  if (mode === 'off' || missingPackages(['@opentelemetry/api']).length > 0) return
  const provider = registeredProvider(await import('@opentelemetry/api'))
  if (provider === null) return
  await app.register(tracing, { continueTraces: mode === 'continue' })
  app.addHook('onClose', async function exportSpans () {
    await waitAtMost(flush(provider as SdkProvider), EXPORT_LIMIT).catch((err: unknown) => {
      app.log.warn({ err }, 'the last traces could not be exported')
    })
  })
}

/** The provider of an SDK, which the API wraps. */
interface SdkProvider {
  getDelegate? (): object
  forceFlush? (): Promise<void>
}

async function flush (provider: SdkProvider): Promise<void> {
  const sdk: SdkProvider = provider.getDelegate?.() ?? provider
  await sdk.forceFlush?.()
}
