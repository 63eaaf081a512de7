import { Transform } from 'node:stream'
import type { Readable, TransformCallback } from 'node:stream'

export interface MeteredBodyOptions {
  /** Maximum bytes; the stream fails with `tooMuch` above them. */
  limit: number
  tooLarge: () => Error
  /** Converts an error of the source, so that its data does not reach a log. */
  onSourceError: (error: unknown) => Error
}

/**
 * Passes the bytes of a source through and counts them. Unlike `pipeline` it does not destroy the source: destroying a
 * request would close the connection before the response is sent.
 */
export class MeteredBody extends Transform {
  /** Called for each chunk. */
  onProgress: () => void = () => {}
  /** Number of next bytes to copy into `kept`. */
  recordBytes = 0
  readonly recorded: Buffer[] = []
  readonly source: Readable
  #left: number
  readonly #options: MeteredBodyOptions

  constructor (source: Readable, options: MeteredBodyOptions) {
    super()
    this.source = source
    this.#left = options.limit
    this.#options = options
    source.on('error', (error) => this.destroy(options.onSourceError(error)))
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(options.onSourceError(new Error('closed before its end')))
    })
    this.on('close', () => source.unpipe(this))
    // An error before the reader adds its listener would otherwise end the process.
    this.on('error', () => {})
    source.pipe(this)
  }

  /** Whether all received bytes were read, so that the stream waits for the source. */
  get isWaitingForSource (): boolean {
    return !this.writableEnded && this.readableLength === 0 && this.writableLength === 0
  }

  override _transform (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length
    if (this.#left < 0) return done(this.#options.tooLarge())
    this.onProgress()
    if (this.recordBytes > 0) {
      this.recorded.push(chunk.subarray(0, this.recordBytes))
      this.recordBytes = Math.max(0, this.recordBytes - chunk.length)
    }
    done(null, chunk)
  }
}
