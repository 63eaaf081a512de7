import type { GuardDecision } from '../channels.js'

/** The properties that lines of one kind share. Lines of one kind are limited together. */
export interface LineKind {
  /** The message of the line. */
  readonly line: string
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  readonly code: string
  readonly status: number
  /** The guard that refused the request. */
  readonly guard?: GuardDecision | undefined
  /** The template of the route. */
  readonly route?: string | undefined
  readonly sourceId?: string | undefined
}

interface Window {
  readonly kind: LineKind
  readonly endsAt: number
  /** The number of lines for each subject. */
  readonly subjects: Map<string, number>
  lines: number
  omitted: number
}

export const DEFAULT_LINES = 10
/** Milliseconds. */
export const WINDOW = 60_000
/** Further kinds share one window per error code. */
const MAX_KINDS = 1_000
const MAX_CODES = 100
/** Characters of a subject that are compared. */
const MAX_SUBJECT = 200

/**
 * Decides which lines are written: each kind has up to `perMinute` lines in a minute, of which repeats of one subject
 * use at most half, so that other subjects are shown too. The omitted lines of a kind are counted. Memory is bounded,
 * whatever clients send.
 */
export class LineSampler {
  // Ordered by their ends, because all windows have the same length.
  readonly #windows = new Map<string, Window>()
  /** The window of the last line, without a key: a busy client is refused for one reason again and again. */
  #last: Window | null = null
  readonly #report: (kind: LineKind, omitted: number) => void

  /** @param report called at the end of a window that omitted lines */
  constructor (report: (kind: LineKind, omitted: number) => void) {
    this.#report = report
  }

  /** Returns whether to write a line; if not, counts it. `subject` is a reason that distinguishes it from others. */
  admits (kind: LineKind, subject: string, perMinute = DEFAULT_LINES): boolean {
    const window = this.#windowOf(kind)
    if (window.lines < perMinute) {
      const compared = subject.length > MAX_SUBJECT ? shortened(subject) : subject
      const repeats = window.subjects.get(compared) ?? 0
      if (repeats < perMinute / 2) {
        window.subjects.set(compared, repeats + 1)
        window.lines++
        return true
      }
    }
    window.omitted++
    return false
  }

  /** Reports the windows that have ended. Returns the milliseconds until the next one ends; `null` without windows. */
  sweep (): number | null {
    const now = performance.now()
    for (const [key, window] of this.#windows) {
      if (window.endsAt > now) return window.endsAt - now
      this.#close(key, window)
    }
    return null
  }

  /** Reports all windows. */
  end (): void {
    for (const [key, window] of this.#windows) this.#close(key, window)
  }

  #windowOf (kind: LineKind): Window {
    const last = this.#last
    if (last !== null && isSameKind(last.kind, kind) && performance.now() < last.endsAt) return last
    this.#last = this.#findWindow(kind)
    return this.#last
  }

  #findWindow (kind: LineKind): Window {
    const { line, code, guard = '', route = '', sourceId = '' } = kind
    const key = `${line} ${code} ${guard} ${sourceId} ${route}`
    const window = this.#current(key)
    if (window !== null) return window
    if (this.#windows.size < MAX_KINDS) return this.#open(key, kind)
    const shared = this.#windows.size < MAX_KINDS + MAX_CODES ? `${line} ${code}` : line
    return this.#current(shared) ?? this.#open(shared, { line, code, level: kind.level, status: kind.status })
  }

  #current (key: string): Window | null {
    const window = this.#windows.get(key)
    if (window === undefined) return null
    if (performance.now() < window.endsAt) return window
    this.#close(key, window)
    return null
  }

  #open (key: string, kind: LineKind): Window {
    const endsAt = performance.now() + WINDOW
    const window = { kind, endsAt, subjects: new Map<string, number>(), lines: 0, omitted: 0 }
    this.#windows.set(key, window)
    return window
  }

  #close (key: string, { kind, omitted }: Window): void {
    this.#windows.delete(key)
    this.#last = null
    if (omitted > 0) this.#report(kind, omitted)
  }
}

function isSameKind (one: LineKind, other: LineKind): boolean {
  return one.code === other.code && one.sourceId === other.sourceId && one.route === other.route &&
    one.guard === other.guard && one.line === other.line
}

/** A slice would keep the whole string in memory, so it is copied. */
function shortened (subject: string): string {
  return Buffer.from(subject.slice(0, MAX_SUBJECT)).toString()
}
