import type { FastifyInstance } from 'fastify'

import { INVALID_OPTIONS } from '../../../../lib/errors.js'
import { LONGEST_TIMER } from '../../../../lib/deadline.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../../lib/options.js'
import type { KnownOptions } from '../../../../lib/options.js'
import { listNoticesSchema } from '../../../../schemas/notice.js'
import type { NoticeItem } from '../../../../schemas/notice.js'
import { callerOf } from '../../admin-scope.js'
import { PERMISSIONS } from '../../permissions.js'
import { announceNotices } from './announce.js'
import { collectNotices } from './collect.js'
import type { Notice, NoticeStores } from './collect.js'

export interface NoticeOptions {
  /** Time between two searches for new notices by all instances together, milliseconds. Default: 600 000. */
  every?: number
  /**
   * Called once for each new notice, by one instance, for example to send an e-mail. A rejection is logged, and the
   * call is not repeated. Default: none.
   */
  onNotice?: (notice: Notice) => void | Promise<void>
}

const KNOWN: KnownOptions<NoticeOptions> = { every: true, onNotice: true }

/** Registers the list of notices and, unless `options` is `false`, announces new notices. Throws `INVALID_OPTIONS`. */
export function noticeRoutes (scope: FastifyInstance, options: NoticeOptions | false, now: () => number): void {
  const { tokenStore } = scope
  const stores: NoticeStores = { tokenStore, eventSink: scope.hasDecorator('eventSink') ? scope.eventSink : null }
  if (options !== false) {
    if (typeof options !== 'object' || options === null) {
      throw new INVALID_OPTIONS('admin-api: "notices" must be false or an object')
    }
    refuseUnknownMembers('adminApi', 'notices.', options, KNOWN)
    const { every = 600_000, onNotice } = options
    assertWholeNumber('admin-api', 'notices.every', every, { min: 1_000, max: LONGEST_TIMER, unit: 'milliseconds' })
    if (onNotice !== undefined && typeof onNotice !== 'function') {
      throw new INVALID_OPTIONS('admin-api: "notices.onNotice" must be a function')
    }
    announceNotices(scope, stores, { now, every, onNotice })
  }

  scope.get(
    '/notices',
    { schema: listNoticesSchema, ...PERMISSIONS.readNotices },
    async function listNotices (request) {
      return { data: (await collectNotices(stores, callerOf(request).org_id, now())).map(viewNotice) }
    }
  )
}

function viewNotice ({ type, subject, resourceId, name, keyName, endsAt, quota }: Notice): NoticeItem {
  const ends_at = new Date(endsAt).toISOString()
  return { type, subject, resource_id: resourceId, name, key_name: keyName, ends_at, quota }
}
