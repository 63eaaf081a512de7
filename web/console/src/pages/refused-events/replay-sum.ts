import type { Reply } from '../../api/paths.ts'

/** The result of a replay in several parts. */
export interface ReplaySum {
  stored: number
  duplicate: number
  dropped: number
  inProgress: number
  /** Refused events that are not valid yet, by code. */
  stillRefused: Readonly<Record<string, number>>
}

export const NO_SUM: ReplaySum = { stored: 0, duplicate: 0, dropped: 0, inProgress: 0, stillRefused: {} }

export function plus (sum: ReplaySum, part: Reply<'post', 'refused-events/replay'>): ReplaySum {
  const stillRefused = { ...sum.stillRefused }
  for (const { code } of part.still_refused) stillRefused[code] = (stillRefused[code] ?? 0) + 1
  return {
    stored: sum.stored + part.events.stored,
    duplicate: sum.duplicate + part.events.duplicate,
    dropped: sum.dropped + part.events.dropped,
    inProgress: sum.inProgress + part.in_progress,
    stillRefused
  }
}
