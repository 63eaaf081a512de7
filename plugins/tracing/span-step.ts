import type { Context, Span } from '@opentelemetry/api'

import type { StepTrace } from '../../lib/channels.js'
import { GatehouseError } from '../../lib/errors.js'
import type { OpenTelemetry } from './provider.js'
import type { ActiveTrace } from './request-trace.js'
import { traceHeaders } from './trace-context.js'

/** Codes of the suite and of Node.js, and class names: no messages, which may contain data. */
const ERROR_TYPE = /^[A-Za-z][A-Za-z0-9_]{0,50}$/
const OTHER = '_OTHER'

export interface SpanStepParts {
  api: OpenTelemetry
  span: Span
  /** The context of the step, with its span. */
  inside: Context
  /** The context before the step. */
  outside: Context
  /** The trace of requests that the step is not part of; `null`: the step is part of a request. */
  leaves: ActiveTrace | null
  /** Whether upstreams receive the trace. */
  propagates: boolean
}

/** A step with a span of OpenTelemetry. */
export class SpanStep implements StepTrace {
  readonly #parts: SpanStepParts
  #hasEnded = false

  constructor (parts: SpanStepParts) {
    this.#parts = parts
  }

  get headers (): Readonly<Record<string, string>> {
    const { span, propagates } = this.#parts
    return propagates ? traceHeaders(span.spanContext()) : {}
  }

  run<T> (work: () => T): T {
    const { api, inside, leaves } = this.#parts
    const inContext = (): T => api.context.with(inside, work)
    return leaves === null ? inContext() : leaves.exit(inContext)
  }

  leave (next: () => void): void {
    this.#parts.api.context.with(this.#parts.outside, next)
  }

  set (attributes: Readonly<Record<string, string | number>>): void {
    this.#parts.span.setAttributes(attributes)
  }

  end (error?: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const { api, span } = this.#parts
    if (error !== undefined) {
      span.setAttribute('error.type', errorType(error))
      if (isFailure(error)) span.setStatus({ code: api.SpanStatusCode.ERROR })
    }
    span.end()
  }
}

/** Returns the code or class of an error, without its message. */
export function errorType (error: unknown): string {
  if (!(error instanceof Error)) return OTHER
  const { code, name } = error as Error & { code?: unknown }
  for (const type of [code, name]) if (typeof type === 'string' && ERROR_TYPE.test(type)) return type
  return OTHER
}

/** Returns whether the server or a backend has failed, and not the caller. */
export function isFailure (error: unknown): boolean {
  return !(error instanceof GatehouseError) || error.statusCode >= 500
}
