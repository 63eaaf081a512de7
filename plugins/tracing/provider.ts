import type { TracerProvider } from '@opentelemetry/api'

import { INVALID_OPTIONS } from '../../lib/errors.js'

/** The package, which is optional and imported at registration. */
export type OpenTelemetry = typeof import('@opentelemetry/api')

/** The provider that the API returns before an SDK has registered its own, and around the SDK's provider after that. */
type Proxy = TracerProvider & { getDelegateTracer? (name: string): object | undefined }

/** Returns the provider that an SDK has registered for the process; `null` without an SDK. */
export function registeredProvider ({ trace }: OpenTelemetry): TracerProvider | null {
  const provider: Proxy = trace.getTracerProvider()
  if (typeof provider.getDelegateTracer !== 'function') return provider
  return provider.getDelegateTracer('fastify-gatehouse') === undefined ? null : provider
}

/** Throws if contexts do not reach asynchronous work: spans would have no parents. */
export function checkContextManager ({ context, createContextKey, ROOT_CONTEXT }: OpenTelemetry): void {
  const probe = ROOT_CONTEXT.setValue(createContextKey('probe'), true)
  if (context.with(probe, () => context.active()) !== probe) {
    throw new INVALID_OPTIONS(
      'tracing: no context manager of OpenTelemetry is registered; call `register()` of the tracer provider, or start ' +
        'the NodeSDK, before the app'
    )
  }
}
