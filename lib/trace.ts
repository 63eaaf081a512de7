import type { FastifyReply, FastifyRequest } from 'fastify'

import { CHANNELS } from './channels.js'
import type { GuardDecision, Step, StepMessage, StepTrace } from './channels.js'

/** `config` of a route that `@fastify/otel` does not trace: monitoring calls it every few seconds. */
export const UNTRACED: object = { otel: false }

/** Begins a step. Returns `null` if nothing traces it; without a subscriber this costs one property read. */
export function startStep (step: Step): StepTrace | null {
  if (!CHANNELS.step.hasSubscribers) return null
  const message: StepMessage = { ...step, trace: null }
  CHANNELS.step.publish(message)
  return message.trace
}

/**
 * Runs asynchronous work as a step. `work` receives the step's trace, or `null` if nothing traces it.
 *
 * @example
 * const user = await traced({ kind: 'lookup', name: 'user' }, () => database.findUser(id))
 */
export function traced<T> (step: Step, work: (trace: StepTrace | null) => Promise<T>): Promise<T> {
  const trace = startStep(step)
  return trace === null ? work(null) : settled(trace, trace.run(() => work(trace)))
}

/** Runs work that is asynchronous only if it must be, such as a look-up in a cache, as a step. */
export function tracedValue<T> (step: Step, work: () => T | Promise<T>): T | Promise<T> {
  const trace = startStep(step)
  if (trace === null) return work()
  let result: T | Promise<T>
  try {
    result = trace.run(work)
  } catch (error) {
    trace.end(error)
    throw error
  }
  if (result instanceof Promise) return settled(trace, result)
  trace.end()
  return result
}

type Done = (error?: Error) => void
type Check<Rest extends unknown[]> = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: Done,
  ...rest: Rest
) => void

/**
 * Returns a check of a guard that runs as a step. The step ends when the check calls `done`, or refuses the request by
 * `refuse` with the name of the guard. The hooks after it are not part of the step.
 *
 * @example
 * const checkKey = tracedCheck('proxyKey', function checkKey (request, reply, done) { … })
 */
export function tracedCheck<Rest extends unknown[]> (guard: GuardDecision, check: Check<Rest>): Check<Rest> {
  return function checkInTrace (request, reply, done, ...rest) {
    const trace = CHANNELS.step.hasSubscribers ? startStep({ kind: 'guard', name: guard, request }) : null
    if (trace === null) return check(request, reply, done, ...rest)
    trace.run(() =>
      check(request, reply, (error) => {
        trace.end(error)
        trace.leave(() => done(error))
      }, ...rest)
    )
  }
}

function settled<T> (trace: StepTrace, result: Promise<T>): Promise<T> {
  return result.then((value) => {
    trace.end()
    return value
  }, (error: unknown) => {
    trace.end(error)
    throw error
  })
}
