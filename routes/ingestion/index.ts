import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import eventFeed from '../../plugins/event-feed/index.js'
import { EventRate, limitEventRate } from '../../lib/limits/event-rate.js'
import type { EventRateOptions } from '../../lib/limits/event-rate.js'
import eventSink from '../../plugins/event-sink/index.js'
import type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { maskedRequestLog } from '../../lib/http/masked-request-log.js'
import pipelineKey from '../../plugins/pipeline-key/index.js'
import { limitRate } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import signature from '../../plugins/signature.js'
import { keepHostCorsOut } from '../../lib/cors/site-cors.js'
import { preflightEachPath } from '../../lib/cors/preflight-routes.js'
import { grantBySomeSource, sourcePreflight, varyByOrigin } from '../../lib/cors/source-cors.js'
import { useOwnCompilers } from '../../lib/http/own-compilers.js'
import tokenStore from '../../plugins/token-store/index.js'
import { batchRoute, batchTooLarge } from './batch/index.js'
import { botCheck } from './bots.js'
import type { BotOptions } from './bots.js'
import { collectorRoute } from './collector.js'
import { eventRoutes } from './events.js'
import { identityCookie } from './identity-cookie.js'
import type { IdentityCookieOptions } from './identity-cookie.js'
import { EventWriter } from './event-writer.js'
import { keyInHead } from './body/parse-json.js'
import { pixelRoutes } from './pixel/index.js'
import { webhookRoute } from './webhook/index.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../plugins/event-feed/index.js'
export type {} from '../../plugins/event-sink/index.js'
export type {} from '../../plugins/pipeline-key/index.js'
export type {} from '../../plugins/signature.js'
export type {} from '../../plugins/token-store/index.js'

export type { BotOptions }

export interface IngestionOptions {
  /** Where the routes are mounted, before `/v1`. Default: no prefix. */
  prefix?: string
  /**
   * Requests of each client address; the options of `@fastify/rate-limit`, or `false`. Default: 5000 a second, with the `RateLimit-*`
   * headers on a 429 alone; set `addHeadersOnExceeding` to have them on every answer, which costs some of its speed. Each instance counts
   * for itself unless `shared` is true, which asks Redis for every request.
   */
  rateLimit?: RateLimitOptions
  /**
   * Events a second of each source that has no `rateLimit` of its own; `false`: any number. A batch is taken as long as one event may
   * come, and what it goes beyond delays the next. Instances with Redis tell each other ten times a second what came. Default: 1 000.
   */
  eventRate?: EventRateOptions | false
  /** How many look-ups of unknown keys one address may cause; `false`: any number. Default: 500 in 10 s. */
  guessLimit?: GuessLimit | false
  /** The `_dfid` cookie that gives a browser's events their `anonymousId`; `false`: none is read or set. Default: of the host alone. */
  identityCookie?: IdentityCookieOptions | false
  /** Which user agents are not bots. What becomes of bots is a setting of each source. Default: as isbot knows them. */
  bots?: BotOptions
  /** Serve the collector script for pages as `/d.js`. Default: `true`. */
  collector?: boolean
  /** Bytes of one event; beyond, 413 alone and an error of that event in a batch. Default: 65 536. */
  eventLimit?: number
  /** Bytes that are read of a single event's body, which may spread over more than it says. Default: 524 288. */
  bodyLimit?: number
  /** Bytes of a batch; beyond, 400. Default: 5 242 880. */
  batchLimit?: number
  /**
   * Bytes of a body, as sent and decompressed, that are read before the pipeline key is known. A longer body needs the key in
   * `Authorization` or `?wk=`, or, uncompressed, as a `writeKey` within its first bytes; without one it is 401. Default: 65 536.
   */
  keylessLimit?: number
  /** Bytes of a webhook delivery; beyond, 413. Default: 1 048 576. */
  webhookLimit?: number
}

const KNOWN: KnownOptions<IngestionOptions> = {
  prefix: true,
  rateLimit: true,
  eventRate: true,
  guessLimit: true,
  identityCookie: true,
  collector: true,
  bots: true,
  eventLimit: true,
  bodyLimit: true,
  batchLimit: true,
  keylessLimit: true,
  webhookLimit: true
}
const ADDRESS_LIMIT: RateLimitOptions = {
  // To ask for every event would cost more than it saves.
  shared: false,
  max: 5_000,
  timeWindow: 1_000,
  addHeadersOnExceeding: { 'ratelimit-limit': false, 'ratelimit-remaining': false, 'ratelimit-reset': false }
}

const ingestion: FastifyPluginAsync<IngestionOptions> = async (app, options) => {
  refuseUnknownOptions('ingestion', options, KNOWN)
  const { prefix = '', rateLimit = {}, guessLimit = {}, identityCookie: cookie = {}, eventRate = {}, collector = true } = options
  if (typeof collector !== 'boolean') throw new INVALID_OPTIONS('ingestion: "collector" must be true or false')
  const limits = {
    eventLimit: bytes('eventLimit', options.eventLimit ?? 64 * 1024),
    bodyLimit: bytes('bodyLimit', options.bodyLimit ?? 512 * 1024),
    batchLimit: bytes('batchLimit', options.batchLimit ?? 5 * 1024 * 1024),
    keylessLimit: bytes('keylessLimit', options.keylessLimit ?? 64 * 1024),
    webhookLimit: bytes('webhookLimit', options.webhookLimit ?? 1024 * 1024)
  }
  const isBotAgent = botCheck(options.bots)
  const visitor = cookie === false ? null : identityCookie(cookie)
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  const limitsOfAll = app.tokenStore.sharedLimits
  const rate = new EventRate(eventRate, limitsOfAll === undefined ? undefined : (id, events, perSecond) => limitsOfAll.debit(`source ${id}`, events, perSecond))
  if (!app.hasDecorator('eventSink')) await app.register(eventSink)
  if (!app.hasDecorator('eventFeed')) await app.register(eventFeed)

  await app.register(async function ingestionScope (scope) {
    answerReadably(scope)
    keepHostCorsOut(scope, false)
    await limitRate(scope, rateLimit === false ? false : { ...ADDRESS_LIMIT, ...rateLimit })
    useOwnCompilers(scope)
    scope.decorateRequest('jsonText', '')
    scope.decorateRequest('jsonMembers', 0)
    scope.decorateRequest('jsonFault', null)
    const writer = new EventWriter(scope.eventSink, scope.eventFeed, rate, isBotAgent)
    scope.eventFeed.follow(scope)
    const { keylessLimit } = limits
    await scope.register(pipelineKey, { guessLimit, keyInBody, faultInBody: ({ jsonFault }) => jsonFault, keylessLimit, keyInHead, holdBody: true })
    limitEventRate(scope, rate)

    if (collector) await collectorRoute(scope)
    // On this scope, whose hooks do not make an image or a batch of the response.
    const answerPreflights = (inner: FastifyInstance) => preflightEachPath(inner, (path) => sourcePreflight(scope, path))
    await scope.register(async function single (scope) {
      answerPreflights(scope)
      await scope.register(signature)
      await eventRoutes(scope, limits, visitor, writer)
    })
    await scope.register(async function batch (scope) {
      answerPreflights(scope)
      await scope.register(signature, { tooLarge: batchTooLarge })
      await batchRoute(scope, limits, visitor, writer)
    })
    await scope.register(async function pixel (scope) {
      answerPreflights(scope)
      await scope.register(signature)
      await pixelRoutes(scope, limits, visitor, writer)
    })
    await scope.register(async function webhook (scope) {
      await webhookRoute(scope, { ...limits, guessLimit }, writer)
    })
  }, { prefix, ...maskedRequestLog(app) })
}

/** The envelope, which the pages of an allowed origin can read even when it is not known yet which source they mean. */
function answerReadably (scope: FastifyInstance): void {
  const { sources } = scope.tokenStore
  scope.setErrorHandler(async function answerReadably (thrown: unknown, request: FastifyRequest, reply: FastifyReply) {
    const error = toPublicError(thrown)
    if (request.resolvedSource === null) {
      varyByOrigin(reply)
      await grantBySomeSource(request, reply, sources)
    }
    return refuse(reply, error)
  })
}

function keyInBody ({ body }: FastifyRequest): unknown {
  return typeof body === 'object' && body !== null ? (body as { writeKey?: unknown }).writeKey ?? undefined : undefined
}

function bytes (option: string, value: number): number {
  assertWholeNumber('ingestion', option, value, { unit: 'bytes' })
  return value
}

export default fp(ingestion, { name: 'gatehouse-ingestion', fastify: '5.x' })
export type { EventRateOptions } from '../../lib/limits/event-rate.js'
export type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { IdentityCookieOptions } from './identity-cookie.js'
