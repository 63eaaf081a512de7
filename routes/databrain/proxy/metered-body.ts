import { Transform } from 'node:stream'
import type { Readable, TransformCallback } from 'node:stream'

export interface MeteredBodyOptions {
  /** Bytes let through; the stream ends with `tooMuch` beyond them. */
  limit: number
  tooMuch: () => Error
  /** What an error of the source becomes, so that nothing of it reaches a log. */
  broken: (error: unknown) => Error
}

/**
 * Lets the bytes of a source through and counts them. The source is not destroyed with it, as `pipeline` would do: that of a request ends with the
 * connection, over which the answer must still go.
 */
export class MeteredBody extends Transform {
  /** Called as bytes pass. */
  onProgress: () => void = () => {}
  /** How many of the next bytes are kept, for a look at how the body begins. */
  keep = 0
  readonly kept: Buffer[] = []
  readonly source: Readable
  #left: number
  readonly #options: MeteredBodyOptions

  constructor (source: Readable, options: MeteredBodyOptions) {
    super()
    this.source = source
    this.#left = options.limit
    this.#options = options
    source.on('error', (error) => this.destroy(options.broken(error)))
    source.on('close', () => { if (!source.readableEnded) this.destroy(options.broken(new Error('closed before its end'))) })
    this.on('close', () => source.unpipe(this))
    // Whoever reads it listens too; without a listener of its own an error that comes before would end the process.
    this.on('error', () => {})
    source.pipe(this)
  }

  /** Whether all that came was taken: the source is what is waited for. */
  get isHungry (): boolean {
    return !this.writableEnded && this.readableLength === 0 && this.writableLength === 0
  }

  override _transform (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length
    if (this.#left < 0) return done(this.#options.tooMuch())
    this.onProgress()
    if (this.keep > 0) {
      this.kept.push(chunk.subarray(0, this.keep))
      this.keep = Math.max(0, this.keep - chunk.length)
    }
    done(null, chunk)
  }
}
