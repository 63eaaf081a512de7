// From the rounds of a row to its figures, and from its figures and the baseline to a verdict.

/** One round of one route. */
export interface Shooting {
  /** Processor time of a request in the server process, in microseconds. */
  user: number
  system: number
  /** Requests per second. */
  rate: number
  /** Latency in milliseconds. */
  p50: number
  p99: number
  /** Number of responses with an unexpected status, and of broken connections. */
  failed: number
}

/** The median of the rounds, with their lower and upper quartile: one disturbed round in five changes nothing. */
export interface Spread {
  median: number
  low: number
  high: number
}

export interface Figures {
  user: number
  system: number
  rate: number
  p50: number
  p99: number
  failed: number
  /** Processor time as a ratio to the bare route of the same round, user and system time together. */
  ratio: Spread
  userRatio: Spread
  rateRatio: Spread
}

export type Verdict = 'new' | 'same' | 'faster' | 'slower' | 'failed'

/** Below this share of the ratio, a difference is never a verdict. */
const TOLERANCE = 0.05

/**
 * @example
 * spreadOf([1.2, 1, 1.1, 9, 1.3]) // { median: 1.2, low: 1.1, high: 1.3 }
 */
export function spreadOf (values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const last = sorted.length - 1
  const at = (index: number) => sorted[index] ?? NaN
  return { median: at(Math.ceil(last / 2)), low: at(Math.floor(last / 4)), high: at(Math.ceil(last * 3 / 4)) }
}

/** `bare`: the rounds of the bare route, in the order of `rounds`. */
export function figuresOf (rounds: readonly Shooting[], bare: readonly Shooting[]): Figures {
  const middle = (of: (round: Shooting) => number) => spreadOf(rounds.map(of)).median
  const ratio = (of: (round: Shooting) => number) =>
    spreadOf(rounds.flatMap((round, at) => {
      const other = bare[at]
      return other === undefined ? [] : [of(round) / of(other)]
    }))
  return {
    user: middle(({ user }) => user),
    system: middle(({ system }) => system),
    rate: middle(({ rate }) => rate),
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    ratio: ratio(({ user, system }) => user + system),
    userRatio: ratio(({ user }) => user),
    rateRatio: ratio(({ rate }) => rate)
  }
}

/**
 * Compares the processor time with the baseline. A row is slower or faster if its median differs by more than the
 * larger spread of the two, and by more than 5 %.
 */
export function verdictOf ({ failed, ratio }: Pick<Figures, 'failed' | 'ratio'>, known: Spread | undefined): Verdict {
  if (failed > 0 || !Number.isFinite(ratio.median)) return 'failed'
  if (known === undefined) return 'new'
  const allowed = Math.max(known.high - known.low, ratio.high - ratio.low, known.median * TOLERANCE)
  if (ratio.median > known.median + allowed) return 'slower'
  return ratio.median < known.median - allowed ? 'faster' : 'same'
}
