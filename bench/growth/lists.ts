// Measures the lists, searches and statistics of the admin API on the built-in server, one request at a time.
import type { Target } from '../routes/fleet.js'
import { anonymousOf, messageIdOf, nameOf, orgOf, userOf } from './events.js'
import { DAY, DAYS, idOf, ORG, senderOf } from './sizes.js'
import type { Sizes } from './sizes.js'

interface Query {
  name: string
  /** Creates a path with `?` and its filters. `at`: 0 to 1. */
  path: (at: number) => string
}

/** Pages in a row that follow `next_cursor`; of lists without a filter by time, which start at the newest row, more. */
const FOLLOWED = 5
const FOLLOWED_DEEP = 40

/** Days that audit entries of the bench go back. */
const AUDIT_DAYS = 88
const iso = (days: number) => new Date(Date.now() - days * DAY).toISOString()
const events = (name: string, filter: (at: number) => string): Query =>
  ({ name: `events ${name}`, path: (at) => `/v1/admin/events?${filter(at)}` })
const list = (path: string, name = path): Query => ({ name, path: () => `/v1/admin/${path}?` })
const audit = (name: string, filter: (at: number) => string): Query =>
  ({ name: `audit ${name}`, path: (at) => `/v1/admin/audit-logs?${filter(at)}` })
/** Lists that can be filtered by time. */
const TIMED = /^(events|audit|embeds|refused)/
const value = encodeURIComponent

function queriesOf (sizes: Sizes): Query[] {
  /** An event of the administrator's organisation. */
  const event = (at: number) => {
    let number = Math.floor(at * (sizes.events - 100))
    while (orgOf(senderOf(number, sizes)) !== ORG) number++
    return number
  }
  const source = (at: number) => idOf('source', senderOf(event(at), sizes))
  const user = (at: number) => `viewer-${1 + Math.floor(at * 4_999) * 10}`
  return [
    events('all', () => ''),
    events('until a day', (at) => `to=${iso(at * DAYS)}`),
    events('of a source', (at) => `source_id=${source(at)}`),
    events('of a quiet source', (at) => `source_id=${idOf('source', Math.floor(sizes.sources * (0.9 + at / 10)))}`),
    events('type page', () => 'type=page'),
    events('type identify', () => 'type=identify'),
    events('type track', (at) => `type=track&to=${iso(at * DAYS)}`),
    events('of a source and type', (at) => `source_id=${source(at)}&type=page`),
    events('by message_id', (at) => `message_id=${messageIdOf(event(at))}`),
    events('by event', (at) => `event=${value(nameOf(event(at)))}`),
    events('by rare event', () => 'event=Nothing'),
    events('by user_id', (at) => `user_id=${userOf(event(at))}`),
    events('by anonymous_id', (at) => `anonymous_id=${anonymousOf(event(at))}`),
    events('by timestamp', (at) => `timestamp_from=${iso(1 + at * 28)}&timestamp_to=${iso(0.9 + at * 28)}`),
    events('by user_id and source', (at) => `user_id=${userOf(event(at))}&source_id=${source(at)}`),
    audit('all', () => ''),
    audit('until a day', (at) => `to=${iso(at * AUDIT_DAYS)}`),
    audit('by action', () => 'action=guest_token.minted'),
    audit('by rare action', () => 'action=user.updated'),
    audit('by user_id', (at) => `user_id=${user(at)}`),
    audit('by resource_id', (at) => `resource_id=dash-${1 + 10 * Math.floor(at * 49)}`),
    audit('by resource_type', () => 'resource_type=user'),
    audit('by action and user_id', (at) => `action=auth.login&user_id=${user(at)}`),
    audit('by rare action and type', () => 'action=source.updated&resource_type=source'),
    { name: 'embeds', path: () => '/v1/admin/embeds?' },
    { name: 'embeds refused', path: () => '/v1/admin/embeds?outcome=refused' },
    { name: 'embeds of a user', path: (at) => `/v1/admin/embeds?user_id=${user(at)}` },
    list('sources'),
    list('users'),
    list('users/invitations', 'invitations'),
    list(`sources/${idOf('source', 1)}/webhooks`, 'webhooks of a source'),
    list('embeds/revocations', 'revocations'),
    list('refused-events', 'refused events'),
    { name: 'refused events by code', path: () => '/v1/admin/refused-events?code=INVALID_SIGNATURE' },
    { name: 'stats of 24 hours', path: () => '/v1/admin/stats?' },
    { name: 'stats of 30 days', path: () => `/v1/admin/stats?interval=day&from=${iso(30)}` },
    { name: 'stats of a source', path: (at) => `/v1/admin/stats?from=${iso(7)}&source_id=${source(at)}` }
  ]
}

interface Page {
  data?: unknown[]
  next_cursor?: string | null
}

/** Measures each query `times` times, with the pages that follow, and from deep in lists that are filtered by time. */
export async function * listTable (target: Target, sizes: Sizes, times: number): AsyncGenerator<string> {
  const headers = { authorization: `Bearer ${(await target.session()).access_token}` }
  yield '| list of 50 | p50 ms | p99 ms | max ms | items | failed |\n| --- | ---: | ---: | ---: | ---: | ---: |'

  let failed = 0

  async function get (path: string): Promise<{ page: Page, time: number }> {
    const began = performance.now()
    const response = await fetch(target.url + path.replace('?&', '?'), { headers })
    const page = await response.json() as Page
    if (response.status < 500 && !response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(page)}`)
    if (!response.ok) failed++
    return { page, time: performance.now() - began }
  }

  for (const { name, path } of queriesOf(sizes)) {
    const measured: number[] = []
    let items = 0
    failed = 0
    const visit = async (url: string, pages: number, keeps: boolean) => {
      let cursor: string | null | undefined
      for (let left = pages; left > 0 && cursor !== null; left--) {
        const { page, time } = await get(cursor === undefined ? url : `${url}&cursor=${cursor}`)
        if (keeps) measured.push(time)
        items += page.data?.length ?? 0
        cursor = page.next_cursor ?? null
      }
    }
    const isPaged = !name.startsWith('stats')
    const isTimed = TIMED.test(name)
    for (let turn = -3; turn < times; turn++) {
      const url = path((turn + 3) * 0.618 % 1) + (isPaged ? '&limit=50' : '')
      await visit(url, !isPaged ? 1 : isTimed ? FOLLOWED : FOLLOWED_DEEP, turn >= 0)
      if (isTimed && !url.includes('to=')) await visit(`${url}&to=${iso((turn + 3) * 0.382 % 1 * DAYS)}`, 2, turn >= 0)
    }
    measured.sort((a, b) => a - b)
    const at = (share: number) => (measured[Math.floor((measured.length - 1) * share)] ?? NaN).toFixed(1)
    yield `| ${[name, at(0.5), at(0.99), at(1), items, failed].join(' | ')} |`
  }
}
