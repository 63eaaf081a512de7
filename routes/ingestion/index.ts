import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import type { DeliveryTrial } from '../../contracts/delivery-trial.js'
import type { EventReplay } from '../../contracts/event-replay.js'
import eventFeed from '../../plugins/event-feed/index.js'
import { EventRate, limitEventRate } from '../../lib/limits/event-rate.js'
import type { EventRateOptions } from '../../lib/limits/event-rate.js'
import eventSink from '../../plugins/event-sink/index.js'
import type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
import { assertBoolean, assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { maskedRequestLog } from '../../lib/http/masked-request-log.js'
import pipelineKey from '../../plugins/pipeline-key/index.js'
import { eventQuotasOf, limitEventQuota } from '../../lib/limits/quota-check.js'
import type { EventQuotaOptions } from '../../lib/limits/quota-check.js'
import { limitRate } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import signature from '../../plugins/signature.js'
import { ignoreHostCors } from '../../lib/cors/site-cors.js'
import { preflightEachPath } from '../../lib/cors/preflight-routes.js'
import { grantBySomeSource, sourcePreflight, varyByOrigin } from '../../lib/cors/source-cors.js'
import { useSuiteCompilers } from '../../lib/http/suite-compilers.js'
import tokenStore from '../../plugins/token-store/index.js'
import { batchRoute } from './batch/index.js'
import { batchTooLarge } from './batch/validate.js'
import { botCheck } from './bots.js'
import type { BotOptions } from './bots.js'
import { collectorRoute } from './collector.js'
import { eventRoutes } from './events.js'
import { identityCookie } from './identity-cookie.js'
import type { IdentityCookieOptions } from './identity-cookie.js'
import { EventWriter } from './event-writer.js'
import { keyInHead } from './body/parse-json.js'
import { pixelRoutes } from './pixel/index.js'
import { refusedEventLimits } from './refused/options.js'
import type { RefusedEventOptions } from './refused/options.js'
import { Intake } from './refused/intake.js'
import { RefusedRecorder } from './refused/recorder.js'
import { Replayer } from './refused/replayer.js'
import { webhookRoute } from './webhook/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../plugins/event-feed/index.js'
export type {} from '../../plugins/event-sink/index.js'
export type {} from '../../plugins/pipeline-key/index.js'
export type {} from '../../plugins/signature.js'
export type {} from '../../plugins/token-store/index.js'
export type {} from '../../contracts/delivery-trial.js'
export type {} from '../../contracts/event-replay.js'

export type { BotOptions }
export type { RefusedEventOptions } from './refused/options.js'

export interface IngestionOptions {
  /** Path prefix of the routes, before `/v1`. Default: no prefix. */
  prefix?: string
  /**
   * Maximum requests per client address, as options of `@fastify/rate-limit`; `false` disables the limit. Default:
   * 5 000 per second, with the `RateLimit-*` headers only on a 429. Set `addHeadersOnExceeding` to send them on every
   * response, at some cost in speed. Each instance counts separately unless `shared` is `true`, which calls Redis on
   * every request.
   */
  rateLimit?: RateLimitOptions
  /**
   * Maximum events per second of each source without a `rateLimit` setting; `false` disables the limit. A batch is
   * accepted while at least one event is left in the budget; a batch above the budget delays the following requests.
   * Instances that share a Redis exchange their counts ten times per second. Default: 1 000.
   */
  eventRate?: EventRateOptions | false
  /**
   * Enforces the quotas of sources that have `dailyQuota` or `monthlyQuota`; `false` ignores quotas. Default: with the
   * defaults of `EventQuotaOptions`.
   */
  eventQuota?: EventQuotaOptions | false
  /** Maximum look-ups of unknown keys per client address; `false` disables the limit. Default: 500 in 10 seconds. */
  guessLimit?: GuessLimit | false
  /**
   * The `_dfid` cookie, the `anonymousId` of a browser's events; `false` disables it. Default: for the request's host.
   */
  identityCookie?: IdentityCookieOptions | false
  /** Exceptions from bot detection by isbot. Each source sets whether bots are tagged or dropped. Default: none. */
  bots?: BotOptions
  /** Serves the collector script as `/d.js`. Default: `true`. */
  collector?: boolean
  /** Maximum bytes of an event. A larger event is 413, or an error of that event in a batch. Default: 65 536. */
  eventLimit?: number
  /** Maximum bytes of a single event's body, as sent and decompressed. Default: 524 288. */
  bodyLimit?: number
  /** Maximum bytes of a batch. A larger batch is 400. Default: 5 242 880. */
  batchLimit?: number
  /**
   * Maximum bytes of a body, as sent and decompressed, while the pipeline key is unknown. A longer body needs the key
   * in `Authorization`, in `?wk=` or, if it is uncompressed, as a `writeKey` within these first bytes; otherwise it is
   * 401. Default: 65 536.
   */
  keylessLimit?: number
  /** Maximum bytes of a webhook delivery. A larger delivery is 413. Default: 1 048 576. */
  webhookLimit?: number
  /**
   * Limits of the refused events that are kept for sources with `keepRefused`; `false` keeps none. Default: the
   * defaults of `RefusedEventOptions`.
   */
  refusedEvents?: RefusedEventOptions | false
}

const KNOWN: KnownOptions<IngestionOptions> = {
  prefix: true,
  rateLimit: true,
  eventRate: true,
  eventQuota: true,
  guessLimit: true,
  identityCookie: true,
  collector: true,
  bots: true,
  eventLimit: true,
  bodyLimit: true,
  batchLimit: true,
  keylessLimit: true,
  webhookLimit: true,
  refusedEvents: true
}
const ADDRESS_LIMIT: RateLimitOptions = {
  // A Redis call per event would cost more than the limit saves.
  shared: false,
  max: 5_000,
  timeWindow: 1_000,
  addHeadersOnExceeding: { 'ratelimit-limit': false, 'ratelimit-remaining': false, 'ratelimit-reset': false }
}

/**
 * Registers the ingestion routes: events, batches, pixels, webhook deliveries and the collector script. Registers an
 * in-memory token store, event sink and event feed if the app has none. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(tokenStore, { store: sqlStore(database, { secretsKeys: [process.env.SECRETS_KEY] }) })
 * await app.register(eventSink, { sink: await sqlSink(database) })
 * await app.register(ingestion, { rateLimit: { max: 10_000, timeWindow: 1_000 } })
 */
const ingestion: FastifyPluginAsync<IngestionOptions> = async (app, options) => {
  refuseUnknownOptions('ingestion', options, KNOWN)
  const {
    prefix = '',
    rateLimit = {},
    guessLimit = {},
    identityCookie: cookie = {},
    eventRate = {},
    eventQuota = {},
    collector = true,
    refusedEvents = {}
  } = options
  assertBoolean('ingestion', 'collector', collector)
  const limits = {
    eventLimit: assertBytes('eventLimit', options.eventLimit ?? 64 * 1024),
    bodyLimit: assertBytes('bodyLimit', options.bodyLimit ?? 512 * 1024),
    batchLimit: assertBytes('batchLimit', options.batchLimit ?? 5 * 1024 * 1024),
    keylessLimit: assertBytes('keylessLimit', options.keylessLimit ?? 64 * 1024),
    webhookLimit: assertBytes('webhookLimit', options.webhookLimit ?? 1024 * 1024)
  }
  const refusedLimits = refusedEvents === false ? null : refusedEventLimits(refusedEvents)
  const isBotAgent = botCheck(options.bots)
  const getVisitorId = cookie === false ? null : identityCookie(cookie)
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  const sharedLimits = app.tokenStore.sharedLimits
  const rate = new EventRate(
    eventRate,
    sharedLimits === undefined
      ? undefined
      : (id, events, perSecond) => sharedLimits.debit(`source ${id}`, events, perSecond)
  )
  if (!app.hasDecorator('eventSink')) await app.register(eventSink)
  if (!app.hasDecorator('eventFeed')) await app.register(eventFeed)

  let replayer: EventReplay | undefined
  let trial: DeliveryTrial | undefined
  await app.register(async function ingestionScope (scope) {
    setErrorHandlerWithCors(scope)
    ignoreHostCors(scope, false)
    await limitRate(scope, rateLimit === false ? false : { ...ADDRESS_LIMIT, ...rateLimit })
    useSuiteCompilers(scope)
    scope.decorateRequest('rawJson', '')
    scope.decorateRequest('jsonMembers', 0)
    scope.decorateRequest('jsonBoundaries', null)
    scope.decorateRequest('jsonError', null)
    scope.decorateRequest('invalidBody', null)
    const quotas = eventQuotasOf(scope, eventQuota)
    const writer = new EventWriter(scope, scope.eventSink, scope.eventFeed, rate, quotas, isBotAgent)
    scope.eventFeed.follow(scope)
    const recorder = refusedLimits === null ? null : new RefusedRecorder(scope, refusedLimits)
    replayer = new Replayer({
      store: scope.tokenStore,
      sink: scope.eventSink,
      intake: new Intake(scope, limits, isBotAgent, getVisitorId !== null),
      writer,
      limits: refusedLimits ?? refusedEventLimits({})
    })
    const { keylessLimit } = limits
    await scope.register(pipelineKey, {
      guessLimit,
      keyInBody,
      bodyError: ({ jsonError }) => jsonError,
      keylessLimit,
      keyInHead,
      bufferBody: true
    })
    limitEventRate(scope, rate)
    if (quotas !== null) limitEventQuota(scope, quotas)

    if (collector) await collectorRoute(scope)
    // On this scope, whose hooks do not make an image or a batch of the response.
    const handlePreflights = (inner: FastifyInstance) =>
      preflightEachPath(inner, (path) => sourcePreflight(scope, path))
    await scope.register(async function single (scope) {
      handlePreflights(scope)
      await scope.register(signature)
      await eventRoutes(scope, limits, getVisitorId, writer)
    })
    await scope.register(async function batch (scope) {
      handlePreflights(scope)
      await scope.register(signature, { tooLarge: () => batchTooLarge(limits.batchLimit) })
      await batchRoute(scope, limits, getVisitorId, writer, recorder)
    })
    await scope.register(async function pixel (scope) {
      handlePreflights(scope)
      await scope.register(signature)
      await pixelRoutes(scope, limits, getVisitorId, writer)
    })
    await scope.register(async function webhook (scope) {
      trial = await webhookRoute(scope, { ...limits, guessLimit }, writer, recorder)
    })
  }, { prefix, ...maskedRequestLog(app) })
  // Of several registrations in one scope, the first one replays and tries deliveries.
  if (replayer !== undefined && !app.hasDecorator('eventReplay')) app.decorate('eventReplay', replayer)
  if (trial !== undefined && !app.hasDecorator('deliveryTrial')) app.decorate('deliveryTrial', trial)
}

/** Sets the error handler. Without a known source, an error has CORS headers if any source allows the origin. */
function setErrorHandlerWithCors (scope: FastifyInstance): void {
  const { sources } = scope.tokenStore
  scope.setErrorHandler(
    async function sendErrorWithCors (thrown: unknown, request: FastifyRequest, reply: FastifyReply) {
      const error = toPublicError(thrown)
      if (request.resolvedSource === null) {
        varyByOrigin(reply)
        await grantBySomeSource(request, reply, sources)
      }
      return refuse(reply, error)
    }
  )
}

function keyInBody ({ body }: FastifyRequest): unknown {
  return typeof body === 'object' && body !== null ? (body as { writeKey?: unknown }).writeKey ?? undefined : undefined
}

function assertBytes (option: string, value: number): number {
  assertWholeNumber('ingestion', option, value, { unit: 'bytes' })
  return value
}

export default fp(ingestion, { name: 'gatehouse-ingestion', fastify: '5.x' })
export type { EventQuotaOptions } from '../../lib/limits/quota-check.js'
export type { EventRateOptions } from '../../lib/limits/event-rate.js'
export type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { IdentityCookieOptions } from './identity-cookie.js'
