import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { GuardDecision } from '../channels.js'
import type { GatehouseError } from '../errors.js'
import { routeOf } from '../http/route-of.js'
import type { UpstreamRefusal } from '../upstream-client/refusal.js'
import type {} from '../../contracts/source-request.js'
import { DEFAULT_LINES, LineSampler, WINDOW } from './sampler.js'
import type { LineKind } from './sampler.js'
import { shownDetails, shownName, shownReason } from './shown.js'

/** The error of one event of a batch. */
export interface RefusedEvent {
  readonly index: number
  readonly code: string
  readonly status: number
  /** The path of the invalid property and the rule that it breaks. */
  readonly message: string
}

export interface UnreadableRequest {
  /** The code of the parser's error, such as `HPE_INVALID_METHOD`. */
  readonly code: string
  readonly status: number
  readonly reqId: string
}

/** In an app without the `pipelineKey` guard and webhooks, requests have no source. */
type SourceRequest = FastifyRequest & { source?: { readonly id: string } | null }
/** A level of pino; `silent` writes no line. */
export type RefusalLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

export interface RefusalSettings {
  /** The levels of errors that the client, the operator and the server can correct. */
  readonly levels: Readonly<Record<'client' | 'operator' | 'server', RefusalLevel>>
  /** Maximum lines of one kind per minute. */
  readonly perMinute: number
}

/** The loggers of Fastify have this method; the logger of a host may not. */
type Logger = FastifyBaseLogger & { isLevelEnabled?: (level: string) => boolean }

const EVENT_REFUSED = 'event refused'
const UNREADABLE = 'request could not be read'
// Symbol.for, so that two copies of the package in one process share the property.
const CODE: unique symbol = Symbol.for('fastify-gatehouse.refusalCode') as never
type RefusedReply = FastifyReply & { [CODE]?: string }

const DEFAULTS: RefusalSettings = {
  levels: { client: 'info', operator: 'warn', server: 'error' },
  perMinute: DEFAULT_LINES
}
/** Errors of clients that the operator of the server can correct, by a setting of the source or of the server. */
const FOR_OPERATORS: ReadonlySet<string> = new Set(['ORIGIN_NOT_ALLOWED', 'HTTPS_REQUIRED'])

// By the HTTP server, which all scopes of an app share.
const logs = new WeakMap<object, RefusalLog>()

/** The log lines about refusals of one app, bounded by a sampler. */
class RefusalLog {
  settings = DEFAULTS
  readonly #sampler: LineSampler
  #timer: NodeJS.Timeout | null = null

  constructor (app: FastifyInstance) {
    this.#sampler = new LineSampler(({ line, level, ...kind }, omitted) => {
      app.log[level]({ ...kind, omitted }, `${line}; lines left out`)
    })
  }

  /** Returns whether to write a line of this kind. */
  admits (kind: LineKind, subject: string, log: Logger): boolean {
    if (kind.level === 'silent' || log.isLevelEnabled?.(kind.level) === false) return false
    const isAdmitted = this.#sampler.admits(kind, subject, this.settings.perMinute)
    if (this.#timer === null) this.#wait(WINDOW)
    return isAdmitted
  }

  /** Writes the counts of omitted lines. */
  end (): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#sampler.end()
  }

  #wait (milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      const left = this.#sampler.sweep()
      if (left !== null) this.#wait(Math.max(1, left))
    }, milliseconds).unref()
  }
}

/** Sets the levels and the limit of an app. Returns `false` if they are set already. */
export function configureRefusals (app: FastifyInstance, settings: RefusalSettings): boolean {
  watchRefusals(app)
  const log = logOf(app)
  if (log.settings !== DEFAULTS) return false
  log.settings = settings
  return true
}

/** Makes the app write the counts of omitted lines when it closes. Call it while plugins are registered. */
export function watchRefusals (app: FastifyInstance): void {
  if (logs.has(app.server)) return
  const log = logOf(app)
  app.addHook('onClose', async () => log.end())
}

function logOf (app: FastifyInstance): RefusalLog {
  let log = logs.get(app.server)
  if (log === undefined) {
    logs.set(app.server, log = new RefusalLog(app))
    // Requests may still be refused while the app closes.
    app.server.once('close', () => log?.end())
  }
  return log
}

/**
 * Logs why a request was refused: the code, the failed check, the invalid fields, the guard, the route and the source.
 * The caller does not receive the reason. Each kind of refusal has a few lines a minute, and then one with the count of
 * the others.
 */
export function logRefusal (reply: FastifyReply, error: GatehouseError, guard?: GuardDecision): void {
  if (error.upstream !== undefined) logUpstreamRefusal(reply, error.upstream)
  const { code, statusCode: status, message, reason, details } = error
  ;(reply as RefusedReply)[CODE] = code
  const log = logOf(reply.server)
  const level = levelOf(log, code, status)
  const line = status >= 500 ? 'request failed' : 'request refused'
  const kind = { line, level, code, status, guard, ...placeOf(reply.request) }
  if (!log.admits(kind, reason ?? firstOf(details) ?? message, reply.log)) return
  reply.log[level]({
    ...status >= 500 ? { err: error.cause ?? error } : {},
    ...fieldsOf(kind),
    sent: shownReason(message),
    reason: shownReason(reason),
    in: partOf(error.cause),
    details: shownDetails(details)
  }, line)
}

/** Logs why an event of an accepted batch was refused, as `logRefusal` does. */
export function logRefusedEvent (request: FastifyRequest, { index, code, status, message }: RefusedEvent): void {
  const log = logOf(request.server)
  const level = levelOf(log, code, status)
  const kind = { line: EVENT_REFUSED, level, code, status, ...placeOf(request) }
  if (!log.admits(kind, message, request.log)) return
  request.log[level]({ ...fieldsOf(kind), index, reason: shownName(message) }, EVENT_REFUSED)
}

/** Returns the code with which the suite refused a request; `undefined` if it did not. For a log line per request. */
export function refusalCode (reply: FastifyReply): string | undefined {
  return (reply as RefusedReply)[CODE]
}

/** Logs that the HTTP parser refused a request. `code` is its error code; the bytes may contain secrets. */
export function logUnreadable (app: FastifyInstance, { code, status, reqId }: UnreadableRequest): void {
  const log = logOf(app)
  const level = log.settings.levels.client
  if (!log.admits({ line: UNREADABLE, level, code, status }, '', app.log)) return
  app.log[level]({ reqId, code, status }, UNREADABLE)
}

/**
 * Logs that an upstream refused a request, at the level of operators, with the status, the code and the cleaned
 * message.
 */
export function logUpstreamRefusal (reply: FastifyReply, refusal: UpstreamRefusal): void {
  const { upstreamStatus: status, upstreamCode, upstreamMessage } = refusal
  const line = 'upstream refused the request'
  const log = logOf(reply.server)
  const level = log.settings.levels.operator
  const kind = { line, level, code: upstreamCode ?? '', status, route: placeOf(reply.request).route }
  if (!log.admits(kind, upstreamMessage ?? '', reply.log)) return
  reply.log[level]({ ...refusal }, line)
}

function levelOf ({ settings: { levels } }: RefusalLog, code: string, status: number): RefusalLevel {
  if (status >= 500) return levels.server
  return FOR_OPERATORS.has(code) ? levels.operator : levels.client
}

function placeOf (request: FastifyRequest): Pick<LineKind, 'route' | 'sourceId'> {
  const { source } = request as SourceRequest
  return { route: request.is404 ? undefined : routeOf(request).url, sourceId: source?.id }
}

function fieldsOf ({ code, status, guard, route, sourceId }: LineKind): Omit<LineKind, 'line' | 'level'> {
  return { code, status, guard, route, sourceId }
}

/** The part of the request that violates its schema: `body`, `querystring`, `params` or `headers`. */
function partOf (cause: unknown): string | undefined {
  return typeof cause === 'object' && cause !== null
    ? (cause as { validationContext?: string }).validationContext
    : undefined
}

function firstOf (details: GatehouseError['details']): string | undefined {
  const [detail] = details ?? []
  return detail && `${detail.path} ${detail.message}`
}
