import type { FastifyInstance } from 'fastify'

import type { CountKind } from '../../contracts/counts.js'
import { MemoryCounts } from '../../lib/counts/memory-counts.js'
import { ORG } from '../../server/demo-source.js'
import type { Console } from './console.js'

const HOUR = 3_600_000
const DAYS = 61

/** Sources and the share of the traffic that they have; the last one is disabled. */
const SOURCES = [
  { name: 'Web shop', domains: ['shop.example.com', 'www.example.com'], share: 1 },
  { name: 'Mobile app', domains: [], share: 0.62 },
  { name: 'Help centre', domains: ['help.example.com'], share: 0.13 },
  { name: 'Order service', domains: [], share: 0.07 },
  { name: 'Campaign pages', domains: ['*.campaigns.example.com'], share: 0.021 }
]
const REFUSALS: ReadonlyArray<readonly [source: number, code: string, share: number]> = [
  [0, 'ORIGIN_NOT_ALLOWED', 0.021],
  [1, 'INVALID_REQUEST', 0.008],
  [3, 'TIMESTAMP_OUT_OF_RANGE', 0.0016],
  [4, 'RATE_LIMITED', 0.0008],
  [2, 'INVALID_PIPELINE_KEY', 0.0004]
]
const EMBEDS: ReadonlyArray<readonly [product: string, outcome: string, share: number]> = [
  ['databrain', 'minted', 0.016], ['databrain', 'cached', 0.055], ['databrain', 'refused:FORBIDDEN', 0.0011],
  ['databrain', 'refused:UPSTREAM_ERROR', 0.0006], ['boldbi', 'minted', 0.011], ['boldbi', 'cached', 0.012],
  ['boldbi', 'refused:UNAUTHORIZED', 0.0009], ['dxfeed', 'minted', 0.004]
]
const LOGINS: ReadonlyArray<readonly [outcome: string, share: number]> = [
  ['login:password', 0.0009], ['login:passkey', 0.0021], ['login:oidc', 0.0033], ['login_failed', 0.0007],
  ['mfa_failed', 0.0002], ['refresh:rotated', 0.02]
]

/** Creates sources and the counts of two months, as of a shop with more visitors in the afternoon than at night. */
export async function seedTraffic (parts: Console): Promise<string[]> {
  const { app, store } = parts
  const post = await poster(parts)
  const ids: string[] = []
  for (const { name, domains } of SOURCES) ids.push((await post<{ id: string }>('sources', { name, domains })).id)
  const stored = storedCounts(app)
  const now = Date.now()
  for (let hour = now - now % HOUR - DAYS * 24 * HOUR; hour <= now; hour += HOUR) {
    const level = levelOf(hour) * Math.min(1, (now - hour) / HOUR)
    const lastAt = Math.min(hour + HOUR, now) - 40_000
    const count = (kind: CountKind, id: string, outcome: string, share: number, size = 0) => {
      const events = Math.round(level * share)
      return events < 1 ? [] : [{ orgId: ORG, kind, id, outcome, hour, events, bytes: events * size, lastAt }]
    }
    await stored.add(SOURCES.flatMap(({ share }, at) => [
      ...count('stored', ids[at] ?? '', 'accepted', share, 640),
      ...count('stored', ids[at] ?? '', 'deduplicated', share * 0.011)
    ]))
    await store.counts.add([
      ...SOURCES.flatMap(({ share, domains }, at) => domains.length === 0 ? [] : count('source', ids[at] ?? '', 'bot', share * 0.036)),
      ...REFUSALS.flatMap(([at, code, share]) => count('source', ids[at] ?? '', `refused:${code}`, share)),
      ...EMBEDS.flatMap(([product, outcome, share]) => count('embed', product, outcome, share)),
      ...LOGINS.flatMap(([outcome, share]) => count('admin', '', outcome, share))
    ])
  }
  return ids
}

/** The counts of the events in the sink, as if it had stored them. */
export function storedCounts (app: FastifyInstance): MemoryCounts {
  const { counts } = app.eventSink
  if (counts instanceof MemoryCounts) return counts
  throw new Error('the sink is not in memory')
}

/** Returns a function that creates things by the admin API, as the owner. */
export async function poster ({ app, ownerToken }: Console) {
  const authorization = `Bearer ${await ownerToken()}`
  return async function post<Reply> (path: string, payload: object, method: 'POST' | 'PATCH' = 'POST'): Promise<Reply> {
    const reply = await app.inject({ method, url: `/v1/admin/${path}`, headers: { authorization }, payload })
    if (reply.statusCode >= 300) throw new Error(`${path}: ${reply.statusCode} ${reply.body}`)
    return reply.json()
  }
}

/** Events in an hour: a day with a night, quieter weekends, slow growth, and some noise that is always the same. */
function levelOf (hour: number): number {
  const date = new Date(hour)
  const ofDay = 0.22 + 0.78 * Math.max(0, Math.sin((date.getUTCHours() - 5) / 18 * Math.PI)) ** 1.4
  const ofWeek = [0.72, 1, 1.04, 1.08, 1.05, 0.96, 0.78][date.getUTCDay()] ?? 1
  const noise = 1 + 0.09 * Math.sin(hour / HOUR * 12.9898) * Math.cos(hour / HOUR * 3.1)
  return 2_900 * ofDay * ofWeek * noise * (1 - (Date.now() - hour) / HOUR / 24 * 0.0022)
}
