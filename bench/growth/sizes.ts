// The numbers of rows of the growth bench, and their names.
import { createHash } from 'node:crypto'

export interface Sizes {
  /** Stored events, distributed evenly over `DAYS`. */
  events: number
  sources: number
  users: number
  sessions: number
  audit: number
  /** Known message ids of the last 24 hours. */
  ids: number
  refused: number
  revocations: number
}

export const DAYS = 30
export const DAY = 86_400_000
/** The organisation of the administrator of the built-in server; it has most of the rows. */
export const ORG = 'default'
/** Sources that send events; the first of them send most. */
const SENDERS = 5_000

export function sizesOf (events: number, scale: number): Sizes {
  const scaled = (rows: number) => Math.max(100, Math.round(rows * scale))
  return {
    events: scaled(events),
    sources: scaled(100_000),
    users: scaled(20_000),
    sessions: scaled(1_000_000),
    audit: scaled(5_000_000),
    ids: scaled(1_000_000),
    refused: scaled(50_000),
    revocations: scaled(10_000)
  }
}

/** The id of the row with this number: as `md5(kind || number)::uuid` in SQL. */
export function idOf (kind: string, number: number): string {
  return createHash('md5').update(`${kind}${number}`).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The number of the source of an event; few sources send most events. */
export function senderOf (event: number, { sources }: Pick<Sizes, 'sources'>): number {
  const spread = (event * 7_919) % 1_000_003 / 1_000_003
  return 1 + Math.floor(spread * spread * Math.min(sources, SENDERS))
}
