import { AsyncLocalStorage } from 'node:async_hooks'

import type { Context, Span } from '@opentelemetry/api'

import type { GuardDecision, StepTrace } from '../../lib/channels.js'
import type { OpenTelemetry } from './provider.js'

/** The trace of one request. */
export class RequestTrace {
  /** The registration of the plugin that traces the request. */
  readonly owner: ActiveTrace
  readonly span: Span
  /** The context of the request, with its span. */
  readonly context: Context
  /** Guards that have begun and not decided. */
  readonly guards = new Map<GuardDecision, StepTrace>()

  constructor (owner: ActiveTrace, span: Span, context: Context) {
    this.owner = owner
    this.span = span
    this.context = context
  }
}

/**
 * The trace of the request in whose asynchronous context the caller runs, for one registration of the plugin. It is not
 * part of OpenTelemetry's context, which other instrumentation replaces.
 */
export class ActiveTrace {
  readonly #api: OpenTelemetry
  readonly #storage = new AsyncLocalStorage<RequestTrace | undefined>()

  constructor (api: OpenTelemetry) {
    this.#api = api
  }

  /** Returns the trace; `undefined` outside of requests, and in requests that another registration traces. */
  get (): RequestTrace | undefined {
    return this.#storage.getStore()
  }

  /** Calls `next` in the context of a request. */
  continue (trace: RequestTrace, next: () => void): void {
    this.#storage.run(trace, () => this.#api.context.with(trace.context, next))
  }

  /** Calls `work` outside of all requests. */
  exit<T> (work: () => T): T {
    return this.#storage.run(undefined, work)
  }
}
