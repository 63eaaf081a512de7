import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { Context, Span, Tracer } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'

import { CHANNELS } from '../../lib/channels.js'
import type {
  AllowedMessage, GuardDecision, MintMessage, QueuedMessage, RefusedMessage, StepMessage, Topic
} from '../../lib/channels.js'
import type { RequestSlot } from '../../lib/request-slot.js'
import { flushLinks } from './flush-links.js'
import type { OpenTelemetry } from './provider.js'
import type { ActiveTrace, RequestTrace } from './request-trace.js'
import { errorType, isFailure, SpanStep } from './span-step.js'

export interface SubscriberParts {
  api: OpenTelemetry
  tracer: Tracer
  active: ActiveTrace
  traces: RequestSlot<RequestTrace>
  /** Returns whether the app belongs to this registration: the channels belong to all apps of the process. */
  covers: (server: FastifyInstance) => boolean
  /** Whether upstreams receive the trace. */
  propagates: boolean
}

/** Creates spans for what the plugins publish. Returns a function that ends the subscriptions. */
export function subscribeAll ({ api, tracer, active, traces, covers, propagates }: SubscriberParts): () => void {
  const ends: Array<() => void> = []

  function on<Message> ({ name }: Topic<Message>, handle: (message: Message) => void): void {
    const listener = (message: unknown): void => handle(message as Message)
    subscribe(name, listener)
    ends.push(() => unsubscribe(name, listener))
  }

  on(CHANNELS.step, function startSpan (message: StepMessage) {
    if (message.trace !== null) return
    const { kind, name, request } = message
    const outside = api.context.active()
    if (kind === 'flush') {
      message.trace = flushStep(message, outside)
      return
    }
    // A property of another registration's requests is undefined.
    const own = request === undefined ? undefined : traces.get(request) ?? null
    const parent = parentOf(message, outside, own)
    if (parent === null) return
    const span = tracer.startSpan(spanName(message), {
      attributes: attributesOf(message),
      ...kind === 'upstream' ? { kind: api.SpanKind.CLIENT } : {}
    }, parent)
    const step = stepOf(span, parent, outside)
    message.trace = step
    if (kind === 'guard') own?.guards.set(name as GuardDecision, step)
  })

  function stepOf (span: Span, around: Context, outside: Context, leaves: ActiveTrace | null = null): SpanStep {
    return new SpanStep({ api, span, inside: api.trace.setSpan(around, span), outside, leaves, propagates })
  }

  /** A flush begins in the context of any request, and belongs to none. */
  function flushStep (message: StepMessage, outside: Context): SpanStep | null {
    const links = flushLinks(message.origins ?? [], active)
    if (links === null && active.get() === undefined) return null
    const span = links === null
      ? api.trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT)
      : tracer.startSpan('sink flush', { links, attributes: attributesOf(message) }, api.ROOT_CONTEXT)
    return stepOf(span, api.ROOT_CONTEXT, outside, active)
  }

  function parentOf (
    { server }: StepMessage,
    outside: Context,
    own: RequestTrace | null | undefined
  ): Context | null {
    const current = active.get()
    if (own === undefined) return current !== undefined || (server !== undefined && covers(server)) ? outside : null
    if (own === null) return null
    return current === own ? outside : own.context
  }

  on(CHANNELS.refused, function markRefusal ({ request, error, guard }: RefusedMessage) {
    const trace = traces.get(request) ?? null
    if (trace === null) return
    const type = errorType(error)
    trace.span.setAttribute('error.type', type)
    if (isFailure(error)) trace.span.setStatus({ code: api.SpanStatusCode.ERROR })
    if (guard === undefined) return
    trace.span.addEvent('guard', { 'gatehouse.guard': guard, 'gatehouse.outcome': 'refused', 'error.type': type })
    const step = trace.guards.get(guard)
    step?.set({ 'gatehouse.outcome': 'refused' })
    step?.end(error)
  })
  on(CHANNELS.allowed, function markDecision ({ request, guard }: AllowedMessage) {
    const trace = traces.get(request) ?? null
    if (trace === null) return
    trace.span.addEvent('guard', { 'gatehouse.guard': guard, 'gatehouse.outcome': 'allowed' })
    trace.guards.get(guard)?.set({ 'gatehouse.outcome': 'allowed' })
  })
  on(CHANNELS.mint, function markMint ({ request, product, outcome }: MintMessage) {
    const trace = traces.get(request) ?? null
    trace?.span.setAttributes({ 'gatehouse.product': product, 'gatehouse.mint': outcome })
  })
  on(CHANNELS.queued, function keepOrigin (message: QueuedMessage) {
    message.origin ??= active.get()
  })
  return () => {
    for (const end of ends) end()
  }
}

/** The attribute that has the `name` of a step. */
const NAME_ATTRIBUTES: Readonly<Partial<Record<StepMessage['kind'], string>>> = {
  guard: 'gatehouse.guard',
  lookup: 'gatehouse.lookup',
  mint: 'gatehouse.product',
  upstream: 'gatehouse.product'
}

function attributesOf ({ kind, name, attributes }: StepMessage): Record<string, string | number> {
  const key = NAME_ATTRIBUTES[kind]
  return key === undefined || name === undefined ? { ...attributes } : { [key]: name, ...attributes }
}

function spanName ({ kind, name }: StepMessage): string {
  if (kind === 'write') return 'sink write'
  return name === undefined ? kind : `${kind} ${name}`
}
