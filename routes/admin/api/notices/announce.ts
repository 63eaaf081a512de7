import type { FastifyInstance } from 'fastify'

import { waitAtMost } from '../../../../lib/deadline.js'
import type { Organisation } from '../../../../contracts/token-store/index.js'
import { collectNotices } from './collect.js'
import type { Notice, NoticeStores } from './collect.js'

export interface AnnounceSettings {
  now: () => number
  /** Time between two searches for notices by all instances together, milliseconds. */
  every: number
  onNotice: ((notice: Notice) => void | Promise<void>) | undefined
}

const DAY = 86_400_000
const CLOSE_LIMIT = 2_000
const PAGE = 100
/** Days before the end of a key, at which it is announced. */
const STEPS = [1, 3, 14]

/**
 * Announces each notice once in the log, in the audit log and to `onNotice`: a key 14, 3 and 1 day before it ends, a
 * quota once per period and type. One instance at a time searches, and a claim in the store prevents repeats.
 */
export function announceNotices (scope: FastifyInstance, stores: NoticeStores, settings: AnnounceSettings): void {
  const { now, every } = settings
  const { tokenStore } = stores
  let isClosing = false
  let underWay: Promise<void> | null = null

  async function announceAll (): Promise<void> {
    if (!await tokenStore.claim('notices: search', Math.ceil(every * 0.9))) return
    let isReported = false
    // The notices of other organisations do not wait for one that fails.
    const report = (err: unknown): void => {
      if (!isReported) scope.log.warn({ err }, 'admin-api: the notices of an organisation could not be read')
      isReported = true
    }
    let cursor: string | undefined
    do {
      const page = await tokenStore.organisations.list({ limit: PAGE, cursor })
      for (const organisation of page.data) {
        if (isClosing) return
        await announceOf(organisation).catch(report)
      }
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }

  async function announceOf ({ id }: Organisation): Promise<void> {
    for (const notice of await collectNotices(stores, id, now())) {
      if (await tokenStore.claim(nameOf(notice, now()), notice.endsAt - now() + DAY)) await announce(notice)
    }
  }

  async function announce (notice: Notice): Promise<void> {
    const { type, orgId, subject, resourceId, name, keyName, endsAt, quota } = notice
    const details = { subject, name, key_name: keyName, ends_at: new Date(endsAt).toISOString(), quota }
    scope.log.warn({ notice: type, orgId, resourceId, ...details }, `admin-api: ${TEXTS[type]}`)
    const resourceType = subject === 'api_key' ? 'key' : 'source'
    scope.audit({ action: `notice.${type.replace('.', '_')}`, orgId, resourceType, resourceId, changes: details })
    try {
      await settings.onNotice?.(notice)
    } catch (err) {
      scope.log.error({ err }, 'admin-api: "onNotice" failed; the notice stays in the list of notices')
    }
  }

  async function search (): Promise<void> {
    try {
      await announceAll()
    } catch (err) {
      scope.log.warn({ err }, 'admin-api: the notices could not be read; the next search retries')
    } finally {
      underWay = null
    }
  }

  const timer = setInterval(() => { underWay ??= search() }, every).unref()
  scope.addHook('onClose', async function stopNotices () {
    isClosing = true
    clearInterval(timer)
    if (underWay !== null) await waitAtMost(underWay, CLOSE_LIMIT)
  })
}

const TEXTS: Readonly<Record<Notice['type'], string>> = {
  'key.expiring': 'a key stops working soon',
  'quota.warning': 'a source has used 80 % of a quota',
  'quota.exceeded': 'a source has used up a quota; its events are refused until the period ends'
}

/** Returns the name under which a notice is announced once. */
function nameOf ({ type, subject, resourceId, keyName, endsAt, quota }: Notice, now: number): string {
  const days = (endsAt - now) / DAY
  const step = quota?.period ?? STEPS.find((step) => days <= step) ?? STEPS.at(-1)
  return `notice: ${JSON.stringify([type, subject, resourceId, keyName, endsAt, step])}`
}
