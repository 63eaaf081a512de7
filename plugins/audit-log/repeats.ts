import { clientNetwork } from '../../lib/http/client-address.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'

const WINDOW = 60_000
const MAX_SUBJECTS = 10_000

interface Window {
  id: string
  endsAt: number
  repeats: number
}

/**
 * Counts the repeats of a refusal (same action, user and address), so that there is one entry per minute. Bounded: at
 * capacity the oldest window ends early.
 */
export class AuditRepeats {
  // Ordered by their ends, because all windows have the same length.
  readonly #windows = new Map<string, Window>()
  readonly #now: () => number
  readonly #report: (id: string, repeats: number) => void

  /** @param report called at the end of a window with the id of its entry and the number of repeats */
  constructor (now: () => number, report: (id: string, repeats: number) => void) {
    this.#now = now
    this.#report = report
  }

  /** Returns whether to write the entry; if not, counts it as a repeat. */
  isFirst (entry: AuditEntry): boolean {
    // Without the resource, which a client may vary; with the network, because an IPv6 client has many addresses.
    const subject = JSON.stringify([entry.action, entry.orgId, entry.userId ?? entry.userEmail,
      clientNetwork(entry.ipAddress ?? undefined)])
    const window = this.#windows.get(subject)
    const now = this.#now()
    // A window whose end is too far ahead is from before the clock was set back.
    if (window !== undefined && now < window.endsAt && window.endsAt <= now + WINDOW) {
      window.repeats++
      return false
    }
    if (window !== undefined) this.#close(subject, window)
    else if (this.#windows.size >= MAX_SUBJECTS) this.#closeOldest()
    this.#windows.set(subject, { id: entry.id, endsAt: now + WINDOW, repeats: 0 })
    return true
  }

  /** Ends the windows that have expired. */
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
