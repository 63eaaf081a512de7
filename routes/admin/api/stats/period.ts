import { DAY, HOUR } from '../../../../lib/counts/count-table.js'
import { INVALID_REQUEST } from '../../../../lib/errors.js'
import { MAX_POINTS } from '../../../../schemas/admin-stats.js'
import type { StatsQuery } from '../../../../schemas/admin-stats.js'
import { timeOf } from '../page-reply.js'

/** The period of statistics. */
export interface Period {
  /** The start of the first point, epoch milliseconds. */
  from: number
  /** Epoch milliseconds, exclusive. */
  to: number
  interval: 'hour' | 'day'
  /** Milliseconds. */
  step: number
  /** Number of points. */
  points: number
}

const MAX_LENGTH = 400 * DAY
/** Up to this length, points are hours by default. */
const MAX_HOURLY = 7 * DAY

/** Returns the period that a query selects. Throws `INVALID_REQUEST` for a period that is empty or too long. */
export function periodOf (query: StatsQuery, now: number): Period {
  const to = timeOf('to', query.to) ?? now
  const start = timeOf('from', query.from) ?? to - DAY
  if (start >= to) throw invalid('/from', 'must be before `to`')
  if (to - start > MAX_LENGTH) throw invalid('/from', 'must be at most 400 days before `to`')
  const interval = query.interval ?? (to - start <= MAX_HOURLY ? 'hour' : 'day')
  const step = interval === 'hour' ? HOUR : DAY
  const from = Math.floor(start / step) * step
  const points = Math.ceil((to - from) / step)
  if (points > MAX_POINTS) throw invalid('/interval', `must be \`day\` for more than ${MAX_POINTS} hours`)
  if (from < 0) throw invalid('/from', 'must be after 1970')
  return { from, to, interval, step, points }
}

function invalid (path: string, message: string) {
  return new INVALID_REQUEST({ details: [{ path, message }] })
}
