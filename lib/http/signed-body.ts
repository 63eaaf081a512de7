import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify'

import type { ResolvedSource } from '../../contracts/token-store/index.js'
import { CHANNELS, publishAllowed } from '../channels.js'
import type { GuardDecision } from '../channels.js'
import { PAYLOAD_TOO_LARGE } from '../errors.js'
import type { GatehouseError } from '../errors.js'
import { refuse, toPublicError } from '../refuse.js'
import { startStep } from '../trace.js'
import { BodyReplay, collectBody } from './raw-body.js'

export interface BodyCheck {
  /** The name of the guard, for its published decisions. */
  guard: GuardDecision
  /** Returns the error of a refused request, or `null`. A thrown error refuses the request too. */
  check: (request: FastifyRequest, body: Buffer) => GatehouseError | null
  /** The error for a body beyond the route's `bodyLimit`. Default: `PAYLOAD_TOO_LARGE`. */
  tooLarge?: () => GatehouseError
}

type Done = (error: null, payload: BodyReplay) => void

/**
 * For a `preParsing` hook: checks the raw bytes of a body before any parser, then passes them on or refuses the
 * request.
 */
export function checkBody (
  request: FastifyRequest,
  reply: FastifyReply,
  payload: RequestPayload,
  { guard, check, tooLarge }: BodyCheck,
  done: Done
): void {
  collectBody(payload, request.headers, request.routeOptions.bodyLimit, (error, bytes) => {
    const trace = CHANNELS.step.hasSubscribers ? startStep({ kind: 'guard', name: guard, request }) : null
    let refusal: GatehouseError | null
    try {
      if (error === null) refusal = check(request, bytes)
      else refusal = tooLarge !== undefined && error instanceof PAYLOAD_TOO_LARGE ? tooLarge() : error
    } catch (thrown) {
      // A function or store of the host may throw, and no hook of Fastify would catch the error here.
      refusal = toPublicError(thrown)
    }
    if (refusal === null) {
      publishAllowed(request, guard)
      trace?.end()
      return done(null, new BodyReplay(bytes))
    }
    // The client may still be sending a body that is not completely read.
    if (error !== null) reply.header('connection', 'close')
    refuse(reply, refusal, guard, error === null ? bytes : undefined)
  })
}

/** The secrets that have not expired. */
export function liveSecrets (secrets: ResolvedSource['secrets']): readonly Buffer[] {
  const now = Date.now()
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ value }) => value)
}
