import { setImmediate as turn } from 'node:timers/promises'

import { MAX_CHARACTERS_PER_TURN } from '../events/event-text.js'
import type { Download } from './download.js'
import type { ExportState, Format } from './format.js'
import type { ExportPage } from './pages.js'

/** How an export ended. */
export type ExportOutcome =
  | 'complete'
  | 'client_closed'
  | 'client_stalled'
  | 'access_ended'
  | 'server_closing'
  | 'failed'

/** Milliseconds without a record after which a line reports how far a search is, so that proxies stay connected. */
const REPORT_EVERY = 10_000

/** Writes the pages of one export to its client. */
export class RunningExport<Item> {
  readonly #format: Format<Item>
  readonly #stop = new AbortController()
  #download: Download | null = null
  #outcome: ExportOutcome | null = null
  #failure: unknown = null
  #count = 0
  #cursor: string | null
  #text = ''
  #writtenAt = performance.now()

  /** @param cursor where the export starts; `null`: at the newest item */
  constructor (format: Format<Item>, cursor: string | null) {
    this.#format = format
    this.#cursor = cursor
  }

  /** Aborts when the export ends. */
  get signal (): AbortSignal {
    return this.#stop.signal
  }

  /** Number of items that were written. */
  get count (): number {
    return this.#count
  }

  get blockedFor (): number {
    return this.#download?.blockedFor ?? 0
  }

  /** The error of a failed export; `null` for any other. */
  get failure (): unknown {
    return this.#failure
  }

  /** Ends the export early; the client can continue it. */
  end (outcome: ExportOutcome): void {
    this.#outcome ??= outcome
    if (outcome === 'client_stalled') this.#download?.destroy()
    this.#stop.abort()
  }

  /** Writes all pages, then the end of the response. Resolves with how the export ended; never rejects. */
  async run (
    download: Download,
    first: ExportPage<Item>,
    pages: AsyncIterable<ExportPage<Item>>
  ): Promise<ExportOutcome> {
    this.#download = download
    try {
      this.#text = this.#format.head
      await this.#writePage(download, first)
      if (first.next !== null) for await (const page of pages) await this.#writePage(download, page)
      this.#outcome ??= download.isClosed ? 'client_closed' : 'complete'
    } catch (error) {
      if (this.#outcome === null) this.#failure = error
      this.#outcome ??= 'failed'
    }
    this.#stop.abort()
    await download.end(this.#ending(this.#outcome), { isLast: this.#outcome !== 'complete' })
    return this.#outcome
  }

  async #writePage (download: Download, { items, next }: ExportPage<Item>): Promise<void> {
    let count = this.#count
    for (const item of items) {
      this.#text += this.#format.record(item)
      count++
      if (this.#text.length > MAX_CHARACTERS_PER_TURN) await this.#flush(download, count, this.#format.idOf(item))
    }
    // A sparse search has many short pages, whose events are sent at once.
    await this.#flush(download, count, next)
    this.#report()
  }

  /** Sends the text, which ends with item number `count`; the client then continues at `cursor`. */
  async #flush (download: Download, count: number, cursor: string | null): Promise<void> {
    if (download.isClosed) this.end('client_closed')
    this.signal.throwIfAborted()
    const text = this.#text
    this.#text = ''
    this.#count = count
    this.#cursor = cursor
    if (text !== '') this.#writtenAt = performance.now()
    await download.write(text, this.signal)
    // Other requests run before the next part is prepared.
    await turn()
    this.signal.throwIfAborted()
  }

  #report (): void {
    if (this.#format.state === null || performance.now() - this.#writtenAt < REPORT_EVERY) return
    this.#text += this.#format.state({ complete: false, count: this.#count, cursor: this.#cursor })
  }

  #ending (outcome: ExportOutcome): string | null {
    const complete = outcome === 'complete'
    if (this.#format.state === null) return complete ? '' : null
    const state: ExportState = { complete, count: this.#count, cursor: complete ? null : this.#cursor }
    return this.#format.state(complete ? state : { ...state, reason: outcome })
  }
}
