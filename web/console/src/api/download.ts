import { sendSigned } from './client.ts'
import { ApiError, errorOf, isAborted } from './errors.ts'
import { SignedOut } from './prompts.ts'
import { RecordReader } from './records.ts'
import type { Format } from './records.ts'
import { openTarget } from './save-target.ts'
import type { Target } from './save-target.ts'

export interface DownloadState {
  phase: 'running' | 'complete' | 'interrupted' | 'cancelled'
  /** Records in the file. */
  count: number
  /** Bytes in the file. */
  size: number
  error?: Error
}

interface Wanted {
  path: string
  query: Readonly<Record<string, string>>
  format: Format
  /** The start of the name of the file. */
  name: string
}

/** Milliseconds between two reports. */
const REPORT_EVERY = 200

/**
 * Saves an export of the admin API as a file. The server ends an export when the access token expires; it continues
 * with the next token after the last record, as often as that brings records.
 */
export class Download {
  readonly #wanted: Wanted
  readonly #report: (state: DownloadState) => void
  readonly #abort = new AbortController()
  readonly #encoder = new TextEncoder()
  #target: Target | null = null
  #cursor: string | undefined
  #count = 0
  #size = 0
  #reportedAt = 0
  #running = false

  constructor (wanted: Wanted, report: (state: DownloadState) => void) {
    this.#wanted = wanted
    this.#report = report
  }

  /** Starts the export, or continues it after an error. Does nothing while it runs or asks for the file. */
  run (): void {
    if (this.#running) return
    this.#running = true
    this.#run().catch((error: unknown) => this.#interrupt(error)).finally(() => { this.#running = false })
  }

  /** Ends the export and leaves no file. */
  cancel (): void {
    this.#abort.abort()
    this.#target?.discard().catch(() => {})
  }

  async #run (): Promise<void> {
    const { name, format } = this.#wanted
    this.#target ??= await openTarget(`${name}-${new Date().toISOString().slice(0, 10)}.${format}`, format)
    this.#show('running')
    for (let before = -1; before < this.#count;) {
      before = this.#count
      if (await this.#readPart()) {
        await this.#target.save()
        return this.#show('complete')
      }
    }
    throw new ApiError('The server has ended the export early.', { status: 0, code: 'INTERRUPTED' })
  }

  /** Appends one response to the file. Returns whether it was the last one. */
  async #readPart (): Promise<boolean> {
    const { path, query, format } = this.#wanted
    const isContinued = this.#cursor !== undefined
    const all = { ...query, format, cursor: this.#cursor }
    const response = await sendSigned({ method: 'get', path, query: all, signal: this.#abort.signal })
    if (!response.ok) throw await errorOf(response)
    const records = new RecordReader(format, isContinued)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    try {
      for (;;) {
        const part = await reader?.read()
        if (part?.value === undefined) break
        const before = records.count
        await this.#append(records.read(part.value), records.count - before, records.cursor)
      }
    } catch (error) {
      // A CSV export that ends early is cut off; the next part continues it.
      if (this.#abort.signal.aborted || records.count === 0) throw error
      return false
    }
    return records.isComplete
  }

  async #append (text: string, count: number, cursor: string | undefined): Promise<void> {
    const data = this.#encoder.encode(text)
    await this.#target?.write(data)
    this.#size += data.length
    this.#count += count
    this.#cursor = cursor ?? this.#cursor
    if (performance.now() - this.#reportedAt > REPORT_EVERY) this.#show('running')
  }

  #interrupt (error: unknown): void {
    if (this.#abort.signal.aborted || isAborted(error)) this.#show('cancelled')
    else this.#show('interrupted', error instanceof SignedOut ? undefined : error as Error)
  }

  #show (phase: DownloadState['phase'], error?: Error): void {
    this.#reportedAt = performance.now()
    this.#report({ phase, count: this.#count, size: this.#size, ...error === undefined ? {} : { error } })
  }
}
