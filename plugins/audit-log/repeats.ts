import { clientNetwork } from '../../lib/http/client-address.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'

const WINDOW = 60_000
const MAX_SUBJECTS = 10_000

interface Window { id: string, endsAt: number, repeats: number }

/**
 * Counts the repeats of one refusal (same action, user and address), so that a flood of them is one entry a minute. Bounded: at
 * capacity the oldest window ends early.
 */
export class AuditRepeats {
  // In the order of their ends, as every window is equally long.
  readonly #windows = new Map<string, Window>()
  readonly #now: () => number
  readonly #report: (id: string, repeats: number) => void

  /** @param report is told, at a window's end, how many repeats came after the entry of that id */
  constructor (now: () => number, report: (id: string, repeats: number) => void) {
    this.#now = now
    this.#report = report
  }

  /** Whether this entry is to be written; if not, it has been counted. */
  isFirst (entry: AuditEntry): boolean {
    // Not the resource, which the caller may make up; and an IPv6 client has a network of addresses.
    const subject = JSON.stringify([entry.action, entry.orgId, entry.userId ?? entry.userEmail, clientNetwork(entry.ipAddress ?? undefined)])
    const window = this.#windows.get(subject)
    const now = this.#now()
    // A window that ends later than one could has seen the clock go back.
    if (window !== undefined && now < window.endsAt && window.endsAt <= now + WINDOW) {
      window.repeats++
      return false
    }
    if (window !== undefined) this.#close(subject, window)
    else if (this.#windows.size >= MAX_SUBJECTS) this.#closeOldest()
    this.#windows.set(subject, { id: entry.id, endsAt: now + WINDOW, repeats: 0 })
    return true
  }

  /** Ends the windows whose minute is over. */
  sweep (): void {
    const now = this.#now()
    for (const [subject, window] of this.#windows) {
      if (window.endsAt > now) break
      this.#close(subject, window)
    }
  }

  /** Ends all windows. */
  end (): void {
    for (const [subject, window] of this.#windows) this.#close(subject, window)
  }

  #closeOldest (): void {
    const [oldest] = this.#windows
    if (oldest !== undefined) this.#close(...oldest)
  }

  #close (subject: string, window: Window): void {
    this.#windows.delete(subject)
    if (window.repeats > 0) this.#report(window.id, window.repeats)
  }
}
