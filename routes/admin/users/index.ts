import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { requestNetwork } from '../../../lib/http/client-address.js'
import { refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { acceptanceRoutes } from './acceptance.js'
import { confirmEmailRoute, requestEmailRoute } from './email-change.js'
import { invitationRoutes, inviteRoutes } from './invitations.js'
import { createLinks, linkUrlOf } from './links.js'
import { createMailer } from './mailer.js'
import type { MailMessage, SendMail } from './mailer.js'
import { memberRoutes } from './members.js'
import { confirmResetRoute, requestResetRoute } from './password-reset.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'
export type {} from '../auth/index.js'

export interface AdminUsersOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin`. */
  prefix?: string
  /**
   * URL of the page that the mailed links open, http or https. A link appends a fragment with the task and the token:
   * `#/accept?token=…`, `#/reset?token=…` or `#/email?token=…`. Required.
   */
  linkUrl: string
  /**
   * Sends a mail; rejects if it was not sent. Called after the response, except for an invitation. It may take up to 20
   * seconds. Required.
   */
  sendMail: SendMail
  /** Maximum requests per user on the routes with an access token. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
  /** Maximum invitations, sent and resent, and changes of email per user. Default: 60 per hour. */
  mailRateLimit?: RateLimitOptions
  /** Maximum requests per client address on the routes with the token of a link. Default: 30 per minute. */
  rateLimit?: RateLimitOptions
  /**
   * Maximum requests of a password reset per email and, counted separately, per client address. Default: 5 per 15
   * minutes.
   */
  resetRateLimit?: RateLimitOptions
}

const KNOWN: KnownOptions<AdminUsersOptions> = {
  ...SCOPE_OPTIONS,
  linkUrl: true,
  sendMail: true,
  userRateLimit: true,
  mailRateLimit: true,
  rateLimit: true,
  resetRateLimit: true
}
const MINUTE = 60_000

/**
 * Registers the routes that invite and manage the members of an organisation, reset passwords and change emails. Needs
 * `adminAuth`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminUsers, {
 *   jwtSecrets: [process.env.JWT_SECRET],
 *   linkUrl: 'https://app.example.com/account',
 *   sendMail: ({ to, subject, text }) => transport.sendMail({ from: 'team@example.com', to, subject, text })
 * })
 */
const adminUsers: FastifyPluginAsync<AdminUsersOptions> = async (app, options) => {
  refuseUnknownOptions('adminUsers', options, KNOWN)
  const {
    prefix = '/v1/admin',
    now = Date.now,
    userRateLimit = { max: 100, timeWindow: MINUTE },
    mailRateLimit = { max: 60, timeWindow: 60 * MINUTE },
    rateLimit = { max: 30, timeWindow: MINUTE },
    resetRateLimit = { max: 5, timeWindow: 15 * MINUTE }
  } = options
  const linkUrl = linkUrlOf(options.linkUrl)
  const sendMail = sendMailOf(options.sendMail)
  if (!app.hasDecorator('adminLogins')) {
    throw new INVALID_OPTIONS('admin-users: adminAuth is not registered before; register adminAuth')
  }
  await adminScope(app, 'admin-users', { ...options, prefix }, async (scope) => {
    const links = createLinks({ box: scope.adminTokens.box, linkUrl, now })
    const parts = { links, mailer: createMailer(scope, sendMail) }

    await scope.register(async function memberScope (guarded) {
      await limitBy(guarded, 'users', userRateLimit, callerKey)
      memberRoutes(guarded)
      invitationRoutes(guarded)
      await guarded.register(async function mailScope (mailing) {
        await limitBy(mailing, 'mails', mailRateLimit, callerKey)
        inviteRoutes(mailing, parts)
        requestEmailRoute(mailing, parts)
      })
    })
    await scope.register(async function linkScope (open) {
      await limitBy(open, 'links', rateLimit, requestNetwork)
      acceptanceRoutes(open, parts)
      confirmResetRoute(open, parts)
      confirmEmailRoute(open, parts)
    })
    await scope.register(async function resetScope (open) {
      await requestResetRoute(open, parts, resetRateLimit)
    })
  })
}

function sendMailOf (sendMail: unknown): (message: MailMessage) => Promise<unknown> {
  if (typeof sendMail === 'function') return sendMail as SendMail
  throw new INVALID_OPTIONS(
    'admin-users: "sendMail" must be a function that sends a mail { to, subject, text }, such as one with nodemailer'
  )
}

export default fp(adminUsers, { name: 'gatehouse-admin-users', fastify: '5.x' })
export type { MailKind, MailMessage, SendMail } from './mailer.js'
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
