import { randomUUID } from 'node:crypto'

import { clientNetwork } from '../../lib/http/client-address.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'

const WINDOW = 60_000
const MAX_SUBJECTS = 10_000

interface Window {
  id: string
  endsAt: number
  repeats: number
}

/** The part of an entry that says what happened to which user at which address. */
export type AuditSubject = Pick<AuditEntry, 'action' | 'orgId' | 'userId' | 'userEmail' | 'ipAddress'>

/** The part of an event that no client may vary. */
interface AuditObject {
  resourceType?: string | undefined
  resourceId?: string | undefined
  changes?: Record<string, unknown> | undefined
}

/**
 * Counts the repeats of a decision (same action, user and address), so that there is one entry per minute. Bounded: at
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

  /**
   * Returns the id of the entry to write for a refusal, or `null` for a repeat. Ignores the resource and the details,
   * which a client may vary.
   */
  firstOf (subject: AuditSubject): string | null {
    return this.#open(JSON.stringify(namesOf(subject)))
  }

  /** As `firstOf`, for a decision whose resource and details no client may vary. */
  newOf (subject: AuditSubject, { resourceType, resourceId, changes }: AuditObject): string | null {
    const names = [...namesOf(subject), resourceType, resourceId]
    return this.#open(keyWith(names, changes) ?? JSON.stringify(names))
  }

  #open (key: string): string | null {
    const window = this.#windows.get(key)
    const now = this.#now()
    // A window whose end is too far ahead is from before the clock was set back.
    if (window !== undefined && now < window.endsAt && window.endsAt <= now + WINDOW) {
      window.repeats++
      return null
    }
    if (window !== undefined) this.#close(key, window)
    else if (this.#windows.size >= MAX_SUBJECTS) this.#closeOldest()
    const id = randomUUID()
    this.#windows.set(key, { id, endsAt: now + WINDOW, repeats: 0 })
    return id
  }

  /** Ends the windows that have expired. */
  sweep (): void {
    const now = this.#now()
    for (const [key, window] of this.#windows) {
      if (window.endsAt > now) break
      this.#close(key, window)
    }
  }

  /** Ends all windows. */
  end (): void {
    for (const [key, window] of this.#windows) this.#close(key, window)
  }

  #closeOldest (): void {
    const [oldest] = this.#windows
    if (oldest !== undefined) this.#close(...oldest)
  }

  #close (key: string, window: Window): void {
    this.#windows.delete(key)
    if (window.repeats > 0) this.#report(window.id, window.repeats)
  }
}

/** Returns `null` for details that are not JSON-serialisable. */
function keyWith (names: readonly unknown[], changes: AuditObject['changes']): string | null {
  try {
    return JSON.stringify([...names, changes])
  } catch {
    return null
  }
}

/** With the network, because an IPv6 client has many addresses. */
function namesOf ({ action, orgId, userId, userEmail, ipAddress }: AuditSubject): unknown[] {
  return [action, orgId, userId ?? userEmail, clientNetwork(ipAddress ?? undefined)]
}
