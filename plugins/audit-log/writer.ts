import type { FastifyBaseLogger } from 'fastify'

import type { AuditEntry, AuditTrail } from '../../contracts/token-store/index.js'

const MAX_WAITING = 10_000

/** Writes entries in order. Entries that arrive during a write are written together in the next write. */
export class AuditWriter {
  #waiting: AuditEntry[] = []
  #counts: Array<{ id: string, repeats: number }> = []
  #running: Promise<void> | null = null
  /** The actions of the entries for which there was no room since the last line about them, and their number. */
  readonly #refused = { entries: 0, actions: new Set<string>() }
  readonly #trail: AuditTrail
  readonly #log: FastifyBaseLogger

  constructor (trail: AuditTrail, log: FastifyBaseLogger) {
    this.#trail = trail
    this.#log = log
  }

  write (entry: AuditEntry): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#refused.entries++
      this.#refused.actions.add(entry.action)
      return
    }
    this.#waiting.push(entry)
    this.#running ??= this.#run()
  }

  addRepeats (id: string, repeats: number): void {
    this.#counts.push({ id, repeats })
    this.#running ??= this.#run()
  }

  async drained (): Promise<void> {
    await this.#running
  }

  async #run (): Promise<void> {
    // Waits one turn of the event loop, to collect its entries in one write.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0 || this.#counts.length > 0) {
      const entries = this.#waiting
      const counts = this.#counts
      this.#waiting = []
      this.#counts = []
      if (entries.length > 0) await this.#trail.append(entries).catch((error: unknown) => this.#logLost(entries, error))
      for (const { id, repeats } of counts) {
        await this.#trail.addRepeats(id, repeats).catch((error: unknown) =>
          this.#log.error({ err: error, id, repeats }, 'audit repeats not stored')
        )
      }
      this.#logRefused()
    }
    this.#running = null
  }

  /** Logs the entries for which there was no room in one line: a line for each would slow an overloaded server down. */
  #logRefused (): void {
    const { entries, actions } = this.#refused
    if (entries === 0) return
    this.#log.error(
      { entries, actions: [...actions], reason: `${MAX_WAITING} entries wait for the store` },
      'audit entries not stored'
    )
    this.#refused.entries = 0
    actions.clear()
  }

  /** Logs lost entries. There is no retry, because a failed write may have succeeded and the log has all entries. */
  #logLost (entries: AuditEntry[], error: unknown): void {
    this.#log.error(
      { err: error, ids: entries.map(({ id }) => id), actions: entries.map(({ action }) => action) },
      'audit entries not stored'
    )
  }
}
