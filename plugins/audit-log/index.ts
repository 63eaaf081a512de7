import { randomUUID } from 'node:crypto'

import fp from 'fastify-plugin'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyRequest } from 'fastify'

import { AuditRepeats } from './repeats.js'
import type { AuditSubject } from './repeats.js'
import { AuditWriter } from './writer.js'
import { loginOutcome } from '../../lib/counts/outcomes.js'
import { CHANNELS } from '../../lib/channels.js'
import { requestAddress } from '../../lib/http/client-address.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertNonEmpty, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export interface AuditLogOptions {
  /** Organisation of an entry without `orgId` and without an administrator. Default: `'default'`. */
  orgId?: string
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** A security event. The administrator, the address and the user agent are read from `request`. */
export interface AuditRecord {
  /** Name of the event, such as `source.created` or `auth.login_failed`. */
  action: string
  request?: FastifyRequest | undefined
  orgId?: string | undefined
  userId?: string | null | undefined
  userEmail?: string | null | undefined
  resourceType?: string | undefined
  resourceId?: string | undefined
  /** Details of the event, JSON-serialisable. Must not contain a secret. */
  changes?: Record<string, unknown> | undefined
  /**
   * Marks a refusal. Repeats within a minute (same action, user and address) are counted in one entry. Default:
   * `false`.
   */
  refusal?: boolean | undefined
  /**
   * Marks a decision that callers repeat without a new result, such as the delivery of a cached token. Repeats within a
   * minute (same action, user, address, resource and details) are counted in one entry. Default: `false`.
   */
  repeatable?: boolean | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Records a security event in the store and in the log. Returns immediately and never throws; an event that cannot
     * be stored is still in the log.
     */
    audit(record: AuditRecord): void
    /** The organisation of events without an administrator, such as embeds: the option `orgId`. */
    auditOrg: string
  }

  interface GatehouseRouteConfig {
    /** Audits each response of this route under this action; 4xx responses are refusals. */
    audit?: string
  }
}

const KNOWN: KnownOptions<AuditLogOptions> = { orgId: true, now: true }
const ACTION = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/
const MAX_USER_AGENT = 512
const REPEAT_INTERVAL = 5_000

/**
 * Decorates the app with `app.audit`, which records security events in the store and in the log. Needs
 * `app.tokenStore`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(auditLog)
 * app.audit({ action: 'report.exported', request, resourceType: 'report', resourceId: id })
 */
const auditLog: FastifyPluginAsync<AuditLogOptions> = async (app, options) => {
  refuseUnknownOptions('auditLog', options, KNOWN)
  const { orgId = 'default', now = Date.now } = options
  assertNonEmpty('audit-log', 'orgId', orgId)
  const trail = app.tokenStore.audit
  const writer = new AuditWriter(trail, app.log)
  const repeats = new AuditRepeats(now, (id, count) => writer.addRepeats(id, count))
  const timer = setInterval(() => repeats.sweep(), REPEAT_INTERVAL).unref()

  app.decorate('auditOrg', orgId)
  app.decorate('audit', function audit (record) {
    if (CHANNELS.audited.hasSubscribers) {
      const { action, changes, request } = record
      CHANNELS.audited.publish({ server: request?.server ?? app, action, changes })
    }
    const subject = subjectOf(record, orgId)
    const login = loginOutcome(record.action, record.changes)
    if (login !== null) app.outcomeCounts.add('admin', subject.orgId, '', login)
    // Most calls are repeats, for which no entry is built.
    const id = entryIdOf(record, subject)
    if (id === null) return
    const entry = toEntry(id, record, subject, now())
    writer.write(entry)
    logEntry(record.request?.log ?? app.log, entry)
  })

  /** Returns the id of a new entry, or `null` for a repeat, which is counted. */
  function entryIdOf (record: AuditRecord, subject: AuditSubject): string | null {
    if (record.refusal === true) return repeats.firstOf(subject)
    return record.repeatable === true ? repeats.newOf(subject, record) : randomUUID()
  }

  const ruleFor = defineGuard(app, {
    name: 'audit',
    accepts: (value) => typeof value === 'string' && ACTION.test(value),
    expected: 'an action such as "report.exported"',
    refuses: false
  })
  // In onSend, because onResponse does not run if the client has disconnected.
  app.addHook('onSend', function auditRequest (request, { statusCode }, payload, done) {
    const action = ruleFor(request)
    if (action !== undefined) {
      app.audit({ action, request, changes: { status: statusCode }, refusal: statusCode >= 400 && statusCode < 500 })
    }
    done(null, payload)
  })

  app.addHook('onClose', async function flushAudit () {
    clearInterval(timer)
    repeats.end()
    await writer.drained()
  })
}

/** The part of `request.admin` that an entry names. */
interface Caller { sub: string, org_id: string, email?: string | null }

function subjectOf (record: AuditRecord, defaultOrg: string): AuditSubject {
  const { action, request, orgId, userId, userEmail } = record
  const admin = (request as { admin?: Caller | null } | undefined)?.admin
  return {
    action,
    orgId: orgId ?? admin?.org_id ?? defaultOrg,
    userId: userId === undefined ? admin?.sub ?? null : userId,
    userEmail: userEmail === undefined ? admin?.email ?? null : userEmail,
    ipAddress: (request === undefined ? '' : requestAddress(request)) || null
  }
}

function toEntry (
  id: string,
  { request, resourceType, resourceId, changes }: AuditRecord,
  subject: AuditSubject,
  timestamp: number
): AuditEntry {
  const { action, orgId, userId, userEmail, ipAddress } = subject
  // Without a spread: each property after one takes 0.1 µs.
  return {
    id,
    action,
    orgId,
    userId,
    userEmail,
    ipAddress,
    resourceType: resourceType ?? null,
    resourceId: resourceId ?? null,
    changes: changes === undefined || changes === null ? null : snapshot(changes),
    userAgent: request?.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    timestamp
  }
}

/** Copies the details as JSON values: an entry is written later, together with others, whose write must not fail. */
function snapshot (changes: Record<string, unknown>): Record<string, unknown> {
  try {
    // Most details are flat JSON values, which need no serialisation.
    if (!('toJSON' in changes) && Object.values(changes).every(isJsonPrimitive)) return { ...changes }
    return JSON.parse(JSON.stringify(changes)) as Record<string, unknown>
  } catch {
    return { unreadable: true }
  }
}

function isJsonPrimitive (value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)
}

function logEntry (
  log: FastifyBaseLogger,
  { action, orgId, userId, resourceType, resourceId, changes, ipAddress }: AuditEntry
): void {
  log.info({ audit: { action, orgId, userId, resourceType, resourceId, changes, ipAddress } }, 'audit')
}

export default fp(auditLog, { name: 'gatehouse-audit-log', fastify: '5.x', decorators: { fastify: ['tokenStore'] } })
