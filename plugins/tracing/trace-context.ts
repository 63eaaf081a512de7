import type { SpanContext } from '@opentelemetry/api'

// W3C Trace Context, level 1. Versions above 00 may have further fields.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
const SAMPLED = 1

/**
 * Returns the span that a `traceparent` header names, without its `tracestate`, which is free text of the client.
 * Returns `null` for a missing or invalid header.
 */
export function spanContextOf (header: string | string[] | undefined): SpanContext | null {
  if (typeof header !== 'string' || header.length > 512) return null
  const [, traceId = NO_TRACE, spanId = NO_SPAN, flags = '0'] = TRACEPARENT.exec(header) ?? []
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true }
}

/** Returns the headers that continue a trace at an upstream: `traceparent`, and `tracestate` if the trace has one. */
export function traceHeaders ({ traceId, spanId, traceFlags, traceState }: SpanContext): Record<string, string> {
  if (traceId === NO_TRACE) return {}
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  const tracestate = traceState?.serialize() ?? ''
  return tracestate === '' ? { traceparent } : { traceparent, tracestate }
}

export function isSampled ({ traceFlags }: SpanContext): boolean {
  return (traceFlags & SAMPLED) !== 0
}
