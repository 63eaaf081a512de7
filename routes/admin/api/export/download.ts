import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import type { Gzip } from 'node:zlib'

/** Milliseconds that the end of a response waits for a client that is still reading. */
const END_TIMEOUT = 2_000
/** Milliseconds for the last bytes of a connection that is closed without an end. */
const FLUSH_TIME = 100

/** The body of a response, written as fast as the client reads it, and compressed if `isCompressed`. */
export class Download {
  readonly #response: ServerResponse
  readonly #gzip: Gzip | null
  /** Since when a write waits for the client, or since when the client last read, by `performance.now`. */
  #blockedSince: number | null = null
  #proceed = () => {}

  constructor (response: ServerResponse, isCompressed: boolean) {
    this.#response = response
    this.#gzip = isCompressed ? createGzip({ level: constants.Z_BEST_SPEED }) : null
    this.#gzip?.pipe(response)
    this.#gzip?.on('error', () => response.destroy())
    const target = this.#gzip ?? response
    target.on('drain', () => this.#proceed())
    if (target !== response) {
      response.on('drain', () => {
        if (this.#blockedSince !== null) this.#blockedSince = performance.now()
      })
    }
    response.on('close', () => {
      this.#proceed()
      this.#gzip?.destroy()
    })
    // Of a client that disconnects; `isClosed` is true then.
    response.on('error', () => {})
  }

  get isClosed (): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }

  /** Milliseconds for which the client has read nothing of what waits for it. */
  get blockedFor (): number {
    return this.#blockedSince === null ? 0 : performance.now() - this.#blockedSince
  }

  /** Resolves when the client has room for more, when the response is closed, or when `signal` aborts. */
  async write (text: string, signal: AbortSignal): Promise<void> {
    if (this.isClosed || text === '' || (this.#gzip ?? this.#response).write(text)) return
    this.#blockedSince = performance.now()
    await this.#room(signal)
  }

  /**
   * Ends the response with a text; `null` closes the connection without an end. A client that does not read is
   * disconnected. `isLast`: the connection is closed after the response, so that a closing server does not wait for it.
   */
  async end (text: string | null, { isLast }: { isLast: boolean }): Promise<void> {
    if (this.#blockedSince !== null) await this.#room(AbortSignal.timeout(END_TIMEOUT))
    if (this.isClosed) return
    if (text !== null && this.#blockedSince === null) {
      const { socket } = this.#response
      if (isLast) this.#response.once('finish', () => socket?.end())
      ;(this.#gzip ?? this.#response).end(text)
      return
    }
    if (this.#blockedSince === null) {
      this.#gzip?.flush()
      await sleep(FLUSH_TIME)
    }
    this.#response.destroy()
  }

  destroy (): void {
    this.#response.destroy()
  }

  async #room (signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#proceed = () => {
        this.#blockedSince = null
        signal.removeEventListener('abort', leave)
        this.#proceed = () => {}
        resolve()
      }
      // The response stays blocked.
      const leave = () => resolve()
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
