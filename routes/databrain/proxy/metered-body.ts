import { Readable } from 'node:stream'

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
export class MeteredBody extends Readable {
  /** Called for each chunk. */
  onProgress: () => void = () => {}
  /** Number of next bytes to copy into `recorded`. */
  recordBytes = 0
  readonly recorded: Buffer[] = []
  readonly source: Readable
  #left: number
  readonly #options: MeteredBodyOptions
  readonly #pass = (chunk: Buffer): void => this.#passOn(chunk)

  constructor (source: Readable, options: MeteredBodyOptions) {
    super()
    this.source = source
    this.#left = options.limit
    this.#options = options
    source.on('error', (error) => this.destroy(options.onSourceError(error)))
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(options.onSourceError(new Error('closed before its end')))
    })
    source.on('end', () => this.push(null))
    // An error before the reader adds its listener would otherwise end the process.
    this.on('error', () => {})
    source.on('data', this.#pass)
  }

  /** Whether all received bytes were read, so that the stream waits for the source. */
  get isWaitingForSource (): boolean {
    return !this.source.readableEnded && this.readableLength === 0
  }

  override _read (): void {
    this.source.resume()
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    this.source.off('data', this.#pass).pause()
    done(error)
  }

  #passOn (chunk: Buffer): void {
    this.#left -= chunk.length
    if (this.#left < 0) {
      this.destroy(this.#options.tooLarge())
      return
    }
    this.onProgress()
    if (this.recordBytes > 0) {
      this.recorded.push(chunk.subarray(0, this.recordBytes))
      this.recordBytes = Math.max(0, this.recordBytes - chunk.length)
    }
    if (!this.push(chunk)) this.source.pause()
  }
}
