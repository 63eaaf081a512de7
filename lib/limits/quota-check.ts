import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import type { EventSink } from '../../contracts/event-sink.js'
import type { TokenStore } from '../../contracts/token-store/index.js'
import { RATE_LIMITED } from '../errors.js'
import { assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../options.js'
import type { AssertOption, KnownOptions } from '../options.js'
import { refuse } from '../refuse.js'
import { EventQuotas } from './event-quota.js'
import type { ReadAccepted, UsedQuota } from './event-quota.js'

export interface EventQuotaOptions {
  /**
   * Milliseconds before the number of accepted events of a source is read again, at most 60 000.
   * Instances exceed a quota together by at most what the other instances accept in this time. Default: 5 000.
   */
  refreshEvery?: number
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

const KNOWN: KnownOptions<EventQuotaOptions> = { refreshEvery: true, now: true }
const assertOption: AssertOption = optionAssertion('ingestion')
/** Longest `Retry-After`, milliseconds, as the quota may be raised before its period ends. */
const LONGEST_WAIT = 3_600_000

/** Creates the quotas of an app. Throws `INVALID_OPTIONS`. */
export function eventQuotasOf (
  app: Pick<FastifyInstance, 'log' | 'eventSink' | 'tokenStore'>,
  options: EventQuotaOptions | false
): EventQuotas | null {
  assertOption(
    options === false || (typeof options === 'object' && options !== null),
    'eventQuota',
    'false or an object with "refreshEvery"',
    options
  )
  if (options === false) return null
  refuseUnknownMembers('ingestion', 'eventQuota.', options, KNOWN)
  const { refreshEvery = 5_000, now = Date.now } = options
  assertWholeNumber('ingestion', 'eventQuota.refreshEvery', refreshEvery, { max: 60_000, unit: 'milliseconds' })
  assertOption(typeof now === 'function', 'eventQuota.now', 'a function', now)
  return new EventQuotas({
    read: acceptedIn(app),
    refreshEvery,
    now,
    onError: (err) => app.log.warn({ err }, 'ingestion: the number of accepted events could not be read; the events ' +
      'of sources with a quota are accepted')
  })
}

/**
 * Reads from the counts of the sink, which are exact. For a sink without counts it reads those of the gateway, in which
 * a duplicate counts as accepted.
 */
export function acceptedIn ({ eventSink, tokenStore }: { eventSink: EventSink, tokenStore: TokenStore }): ReadAccepted {
  const [counts, kind] = eventSink.counts === undefined
    ? [tokenStore.counts, 'source'] as const
    : [eventSink.counts, 'stored'] as const
  return async function readAccepted (orgId, id, from, to) {
    const totals = await counts.totals(orgId, { kind, id, outcome: 'accepted', from, to })
    return totals.reduce((sum, { events }) => sum + events, 0)
  }
}

/**
 * Refuses requests of a source that has used up a quota: 429 `RATE_LIMITED` with `Retry-After`. Checks before the body
 * is read if the source is already known, and again after it.
 */
export function limitEventQuota (scope: FastifyInstance, quotas: EventQuotas): void {
  function checkQuota ({ source }: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const used = source === null ? null : quotas.used(source)
    if (used === null) done()
    else if ('then' in used) used.then((used) => finish(used, reply, done), done)
    else finish(used, reply, done)
  }

  function finish (used: UsedQuota | null, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (used === null) done()
    else refuse(reply, quotaError(used, quotas.now()))
  }

  // If the guard buffers the body, the source is known from preParsing on.
  scope.addHook('preParsing', function checkQuotaBeforeBody (request, reply, _payload, done) {
    checkQuota(request, reply, done)
  })
  scope.addHook('preValidation', checkQuota)
}

/** Creates the error of a request that exceeds a quota. */
export function quotaError ({ period, limit, endsAt }: UsedQuota, now: number): InstanceType<typeof RATE_LIMITED> {
  return new RATE_LIMITED({
    message: 'The event quota of this source is used up',
    retryAfterSeconds: Math.min(LONGEST_WAIT, Math.max(1_000, endsAt - now)) / 1000,
    reason: `the quota of the source is ${limit} events per ${period}`
  })
}
