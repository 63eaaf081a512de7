import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { auditLogRoutes } from './audit-logs.js'
import { embedRoutes } from './embeds/index.js'
import { liveRoute } from './live/index.js'
import { eventRoutes } from './events/index.js'
import { exportRoute } from './events/export/index.js'
import { exporter } from './export/index.js'
import type { ExportOptions } from './export/options.js'
import type { LiveOptions } from './live/options.js'
import { noticeRoutes } from './notices/index.js'
import type { NoticeOptions } from './notices/index.js'
import { quotasOf } from './quotas.js'
import type { QuotaOptions } from './quotas.js'
import { refusedExportRoute } from './refused-events/export.js'
import { refusedEventRoutes } from './refused-events/index.js'
import { sourceRoutes } from './sources/index.js'
import { sourceKeyRoutes } from './sources/keys.js'
import { statsRoute } from './stats/index.js'
import { webhookRoutes } from './webhooks/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/event-sink/index.js'
export type {} from '../../../plugins/token-store/index.js'
export type {} from '../../../contracts/event-replay.js'

export interface AdminApiOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin`. */
  prefix?: string
  /** Maximum requests per user. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
  /** Limits of the live view of events; `false` disables the live view. Default: the defaults of `LiveOptions`. */
  live?: LiveOptions | false
  /**
   * Limits of exports of events and refused events together; `false` disables exports. Default: the defaults of
   * `ExportOptions`.
   */
  exports?: ExportOptions | false
  /** Accepts a server secret below 16 bytes, or a publicly known secret, for a new source. Default: `false`. */
  allowWeakSecret?: boolean
  /**
   * Announces keys that stop working soon and used quotas in the log, in the audit log and to `onNotice`; `false`
   * announces nothing. Default: with the defaults of `NoticeOptions`.
   */
  notices?: NoticeOptions | false
  /** Maximum numbers of objects per organisation. Default: 500 sources, 100 webhooks, 20 keys a source. */
  quotas?: QuotaOptions
}

const KNOWN: KnownOptions<AdminApiOptions> = {
  ...SCOPE_OPTIONS,
  userRateLimit: true,
  live: true,
  exports: true,
  allowWeakSecret: true,
  notices: true,
  quotas: true
}

/**
 * Registers the management routes of sources, webhooks, stored events, embeds and the audit trail. Each caller has
 * access only to the data of the caller's organisation. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminApi, { jwtSecrets: [process.env.JWT_SECRET] })
 */
const adminApi: FastifyPluginAsync<AdminApiOptions> = async (app, options) => {
  refuseUnknownOptions('adminApi', options, KNOWN, { rateLimit: 'userRateLimit' })
  const {
    prefix = '/v1/admin',
    now = Date.now,
    userRateLimit = { max: 100, timeWindow: 60_000 },
    live = {},
    exports = {},
    allowWeakSecret = false,
    notices = {}
  } = options
  if (typeof allowWeakSecret !== 'boolean') {
    throw new INVALID_OPTIONS('admin-api: "allowWeakSecret" must be true or false')
  }
  const quotas = quotasOf(options.quotas)
  await adminScope(app, 'admin-api', { ...options, prefix }, async (scope) => {
    await limitBy(scope, 'admin', userRateLimit, callerKey)
    sourceRoutes(scope, { now, allowWeakSecret, quota: quotas.sources })
    sourceKeyRoutes(scope, { now, quota: quotas.keys })
    webhookRoutes(scope, { now, quota: quotas.webhooks })
    eventRoutes(scope)
    refusedEventRoutes(scope)
    if (live !== false) await liveRoute(scope, live)
    if (exports !== false) {
      const sendExport = exporter(scope, exports, now)
      exportRoute(scope, sendExport)
      refusedExportRoute(scope, sendExport)
    }
    embedRoutes(scope, now)
    auditLogRoutes(scope)
    noticeRoutes(scope, notices, now)
    statsRoute(scope, now)
  })
}

export default fp(adminApi, { name: 'gatehouse-admin-api', fastify: '5.x' })
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { ExportOptions } from './export/options.js'
export type { LiveOptions } from './live/options.js'
export type { Notice } from './notices/collect.js'
export type { NoticeOptions } from './notices/index.js'
export type { QuotaOptions } from './quotas.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
