import { acceptedIn } from '../../../../lib/limits/quota-check.js'
import { utcDay, utcMonth } from '../../../../lib/limits/utc-windows.js'
import type { Page, PageRequest } from '../../../../contracts/page.js'
import type { EventSink } from '../../../../contracts/event-sink.js'
import type { Source, TokenStore } from '../../../../contracts/token-store/index.js'

/** A fact that an organisation should know in time. */
export interface Notice {
  /**
   * `key.expiring`: a key stops working within 14 days. `quota.warning`: a source has used 80 % of a quota.
   * `quota.exceeded`: a source has used up a quota.
   */
  type: 'key.expiring' | 'quota.warning' | 'quota.exceeded'
  orgId: string
  /** The kind of key, or `source` for a quota. A `replaced_pipeline_key` was rotated, and its overlap ends. */
  subject: 'pipeline_key' | 'replaced_pipeline_key' | 'api_key' | 'source'
  /** Id of the source, or of the API key. */
  resourceId: string
  /** The name of the source or of the API key. */
  name: string
  /** The name of the pipeline key; `null` for the source's own key, and for other subjects. */
  keyName: string | null
  /** When the key stops working, or the period of the quota ends, epoch milliseconds. */
  endsAt: number
  /** The used quota; `null` for keys. */
  quota: { period: 'day' | 'month', limit: number, used: number } | null
}

export interface NoticeStores {
  tokenStore: TokenStore
  /** Without it, quotas are not read. */
  eventSink: EventSink | null
}

const DAY = 86_400_000
/** Time before the end of a key in which there is a notice, milliseconds. */
export const KEY_NOTICE = 14 * DAY
const WARNING = 0.8
/** Maximum number of notices, keys or sources that are read for one organisation. */
const MAX_READ = 1_000
const PAGE = 100

/** Returns the notices of one organisation: used quotas first, then the keys that end first. */
export async function collectNotices (stores: NoticeStores, orgId: string, now: number): Promise<Notice[]> {
  const { tokenStore: { sourceKeys, apiKeys, sources }, eventSink } = stores
  const before = now + KEY_NOTICE
  const notices: Notice[] = []
  for (const key of await sourceKeys.ending({ orgId, before, limit: MAX_READ })) {
    notices.push({
      ...keyNotice(orgId, key.replaced ? 'replaced_pipeline_key' : 'pipeline_key', key.sourceId, key.sourceName),
      keyName: key.name,
      endsAt: key.expiresAt
    })
  }
  for await (const { id, name, expiresAt } of itemsOf((page) => apiKeys.list(orgId, page))) {
    if (expiresAt === null || expiresAt <= now || expiresAt > before) continue
    notices.push({ ...keyNotice(orgId, 'api_key', id, name), endsAt: expiresAt })
  }
  if (eventSink !== null) {
    const read = acceptedIn({ eventSink, tokenStore: stores.tokenStore })
    for await (const source of itemsOf((page) => sources.list(orgId, page))) {
      for (const [period, limit, { from, to }] of periodsOf(source, now)) {
        const used = await read(orgId, source.id, from, to)
        if (used >= limit * WARNING) notices.push(quotaNotice(source, { period, limit, used }, to))
      }
    }
  }
  return notices.sort((one, other) => orderOf(one) - orderOf(other) || one.endsAt - other.endsAt).slice(0, MAX_READ)
}

function periodsOf ({ dailyQuota, monthlyQuota }: Source, now: number) {
  return [['day', dailyQuota, utcDay(now)], ['month', monthlyQuota, utcMonth(now)]].flatMap((period) =>
    period[1] === null ? [] : [period as ['day' | 'month', number, { from: number, to: number }]]
  )
}

function keyNotice (orgId: string, subject: Notice['subject'], resourceId: string, name: string) {
  return { type: 'key.expiring', orgId, subject, resourceId, name, keyName: null, quota: null } as const
}

function quotaNotice (source: Source, quota: NonNullable<Notice['quota']>, endsAt: number): Notice {
  return {
    type: quota.used >= quota.limit ? 'quota.exceeded' : 'quota.warning',
    orgId: source.orgId,
    subject: 'source',
    resourceId: source.id,
    name: source.name,
    keyName: null,
    endsAt,
    quota
  }
}

function orderOf ({ type }: Notice): number {
  return type === 'quota.exceeded' ? 0 : type === 'quota.warning' ? 1 : 2
}

/** Yields the items of a list, at most `MAX_READ`. */
export async function * itemsOf<Item> (list: (page: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let cursor: string | undefined
  for (let read = 0; read < MAX_READ; read += PAGE) {
    const { data, nextCursor } = await list({ limit: PAGE, cursor })
    yield * data
    if (nextCursor === null) return
    cursor = nextCursor
  }
}
