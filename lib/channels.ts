import { channel } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { SinkLoad } from '../contracts/event-sink.js'
import type { GatehouseError } from './errors.js'

/** A refused request. */
export interface RefusedMessage {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly error: GatehouseError
  /** The guard that refused the request; `undefined` if a route or a rate limit of the suite refused it. */
  readonly guard?: GuardDecision | undefined
  /** The bytes of the body as received, if the guard has read them. */
  readonly body?: Buffer | undefined
}

/** A request that a guard has checked and let pass. */
export interface AllowedMessage {
  readonly request: FastifyRequest
  readonly guard: GuardDecision
}

/** The checks whose decisions are published. */
export type GuardDecision =
  | 'admin' | 'captcha' | 'connectionLimit' | 'csrf' | 'https' | 'identityToken' | 'pipelineKey' | 'proxyKey'
  | 'rateLimit' | 'signature' | 'userReference' | 'webhook'

/** Events of one source, or of a batch, with the same outcome. */
export interface IngestedMessage {
  readonly server: FastifyInstance
  /** `accepted`: confirmed by the sink. `bot`: dropped, as the source demands. `refused`: not valid in a batch. */
  readonly outcome: 'accepted' | 'bot' | 'refused'
  readonly events: number
  /** The error code of refused events. */
  readonly code?: string
}

/** A finished flush of an event sink. */
export interface FlushMessage {
  /** The `load` of the sink. */
  readonly load: SinkLoad
  readonly events: number
  /** Milliseconds. */
  readonly duration: number
  readonly failed: boolean
}

/** The decision on a request for a credential of an embedded product. */
export interface MintMessage {
  readonly request: FastifyRequest
  readonly product: MintProduct
  readonly outcome: 'minted' | 'cached' | 'refused'
}

export type MintProduct = 'databrain' | 'databrain_proxy' | 'boldbi' | 'dxfeed' | 'user_reference'

/** A finished call to an upstream, with all its retries. */
export interface UpstreamMessage {
  readonly server: FastifyInstance
  readonly product: UpstreamProduct
  /** `ok`: a status below 400. `refused`: 4xx. `failed`: 5xx or no response. `cancelled`: the client disconnected. */
  readonly outcome: 'ok' | 'refused' | 'failed' | 'timeout' | 'cancelled'
  /** Milliseconds. */
  readonly duration: number
}

export type UpstreamProduct = 'databrain' | 'databrain_proxy' | 'boldbi' | 'captcha' | 'identity'

/** An attempt to refresh the tokens of an administrator. */
export interface RefreshMessage {
  readonly request: FastifyRequest
  readonly outcome: 'rotated' | 'repeated' | 'reused' | 'idle' | 'ended' | 'refused'
}

/** A security event, as `app.audit` receives it, repeats included. */
export interface AuditedMessage {
  readonly server: FastifyInstance
  readonly action: string
  readonly changes: Readonly<Record<string, unknown>> | undefined
}

/** A call of `write` of an event sink that stores the events of many requests together. */
export interface QueuedMessage {
  /** The `load` of the sink. */
  readonly load: SinkLoad
  /** A subscriber that traces the request sets its trace here. The `origins` of the flush contain it. */
  origin: unknown
}

/** A part of the work on a request, or a flush of the event sink, which tracing shows as a span. */
export interface Step {
  readonly kind: 'guard' | 'lookup' | 'authorize' | 'mint' | 'upstream' | 'write' | 'flush'
  /** The guard, the kind of look-up or the product. */
  readonly name?: string
  /** The request, if the step knows it; otherwise the request in whose asynchronous context the step runs. */
  readonly request?: FastifyRequest
  /** The app, of a step that may also run without a request. */
  readonly server?: FastifyInstance
  /** Values that no client chooses. */
  readonly attributes?: Readonly<Record<string, string | number>>
  /** The traces of the requests whose events a flush contains, one per write. */
  readonly origins?: readonly unknown[]
}

/** The beginning of a step. */
export interface StepMessage extends Step {
  /** A subscriber that traces the step sets this; the publisher runs the step with it. */
  trace: StepTrace | null
}

/** The span of a step. */
export interface StepTrace {
  /** Headers that continue the trace at an upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** Calls `work` as part of the step, asynchronous continuations included. */
  run<T>(work: () => T): T
  /** Calls `next` as before the step. */
  leave(next: () => void): void
  set(attributes: Readonly<Record<string, string | number>>): void
  /** Ends the step, with the error if it failed or refused the request. Only the first call counts. */
  end(error?: unknown): void
}

/** A channel of `node:diagnostics_channel` with typed messages. */
export interface Topic<Message> {
  readonly name: string
  /** `false` costs the publisher one property read. */
  readonly hasSubscribers: boolean
  publish (message: Message): void
}

/**
 * The channels on which the suite publishes what happens, for metrics and other instrumentation. Messages are published
 * synchronously and contain requests with their credentials: a subscriber must be fast, must not throw and must not log
 * a message. All apps of the process share the channels.
 *
 * @example
 * subscribe(CHANNELS.refused.name, (message) => count((message as RefusedMessage).error.code))
 */
export const CHANNELS = {
  refused: topic<RefusedMessage>('refused'),
  allowed: topic<AllowedMessage>('allowed'),
  ingested: topic<IngestedMessage>('ingested'),
  flush: topic<FlushMessage>('flush'),
  mint: topic<MintMessage>('mint'),
  upstream: topic<UpstreamMessage>('upstream'),
  refresh: topic<RefreshMessage>('refresh'),
  audited: topic<AuditedMessage>('audited'),
  queued: topic<QueuedMessage>('queued'),
  step: topic<StepMessage>('step')
} as const

/** Publishes that a guard has checked a request and lets it pass. */
export function publishAllowed (request: FastifyRequest, guard: GuardDecision): void {
  if (CHANNELS.allowed.hasSubscribers) CHANNELS.allowed.publish({ request, guard })
}

function topic<Message> (name: string): Topic<Message> {
  return channel(`fastify-gatehouse.${name}`) as Topic<Message>
}
