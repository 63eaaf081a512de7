import { randomUUID } from 'node:crypto'

import { clientNetwork } from '../../lib/http/client-address.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'

const WINDOW = 60_000
const MAX_SUBJECTS = 10_000

interface Window {
  id: string
  endsAt: number
  repeats: number
  /** The details of the entry; `null` if they are part of the key of the window. */
  details: Details | null
}
type Details = Readonly<Record<string, unknown>>

const NONE: Details = {}

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
    return this.#open(keyOf(subject), null)
  }

  /** As `firstOf`, for a decision whose resource and details no client may vary. */
  newOf (subject: AuditSubject, { resourceType, resourceId, changes }: AuditObject): string | null {
    const key = keyOf(subject) + part(resourceType) + part(resourceId)
    const details = changes ?? NONE
    const window = this.#windows.get(key)
    // Most repeats have the details of the first decision; a comparison takes a third of the time of a longer key.
    if (window?.details != null && isSame(window.details, details)) return this.#open(key, details)
    const longKey = key + jsonOf(details)
    const isLong = window !== undefined || this.#windows.has(longKey) || !isFlat(details)
    return isLong ? this.#open(longKey, null) : this.#open(key, details)
  }

  #open (key: string, details: Details | null): string | null {
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
    this.#windows.set(key, { id, endsAt: now + WINDOW, repeats: 0, details: details === null ? null : { ...details } })
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

/** Returns a key with the network instead of the address, because an IPv6 client has many addresses. */
function keyOf ({ action, orgId, userId, userEmail, ipAddress }: AuditSubject): string {
  return part(action) + part(orgId) + part(userId ?? userEmail) + part(clientNetwork(ipAddress ?? undefined))
}

/** The length of a part separates it from the next one, whatever characters it contains. */
function part (text: string | null | undefined): string {
  return text === null || text === undefined ? '-' : `${text.length}:${text}`
}

/** Compares details with those of a window, which are flat; `false` for details that cannot be read. */
function isSame (known: Details, details: Details): boolean {
  try {
    for (const name in known) if (known[name] !== details[name]) return false
    for (const name in details) if (!(name in known)) return false
    return true
  } catch {
    return false
  }
}

/** Whether no detail is an object; `false` for details that cannot be read. */
function isFlat (details: Details): boolean {
  try {
    return Object.values(details).every((value) => typeof value !== 'object' || value === null)
  } catch {
    return false
  }
}

/** Returns the empty string for details that are not JSON-serialisable. */
function jsonOf (details: Details): string {
  try {
    return JSON.stringify(details)
  } catch {
    return ''
  }
}
