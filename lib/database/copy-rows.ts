const FIRST_SIZE = 64 * 1024
/** A larger buffer is not kept for the next rows. */
const KEPT_SIZE = 8 * 1024 * 1024
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const COPY_DATA = 0x64
const COPY_DONE = 0x63
const LENGTH_SIZE = 4
const UUID_SIZE = 16
const TRAILER_SIZE = 7
/** 2000-01-01, where PostgreSQL's times begin, epoch milliseconds. */
const EPOCH = 946_684_800_000
const LOW = 2 ** 32

/**
 * Rows in the binary form of COPY FROM STDIN, as the two messages that carry them: nothing in a text has to be escaped, so what came
 * as JSON is copied as it is. (PostgreSQL: COPY, "Binary Format"; Frontend/Backend Protocol, "Message Formats".)
 */
export class CopyRows {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE)
  #at = 0
  readonly #columns: number

  /** @param columns how many fields each row has */
  constructor (columns: number) {
    this.#columns = columns
    this.reset()
  }

  /** Starts anew. The messages that were taken before must have been sent by now. */
  reset (): void {
    if (this.#bytes.length > KEPT_SIZE) this.#bytes = Buffer.allocUnsafe(FIRST_SIZE)
    this.#bytes[0] = COPY_DATA
    this.#at = 1 + LENGTH_SIZE
    this.#at += SIGNATURE.copy(this.#bytes, this.#at)
  }

  /** Begins a row; its fields follow in the order of the columns. */
  row (): void {
    this.#reserve(2)
    this.#at = this.#bytes.writeInt16BE(this.#columns, this.#at)
  }

  /** How many bytes there are; between two of these lie the fields that were added meanwhile. */
  get length (): number {
    return this.#at
  }

  /** Adds fields that are there already once more, at a fraction of the work. */
  again (from: number, to: number): void {
    this.#reserve(to - from)
    this.#at += this.#bytes.copy(this.#bytes, this.#at, from, to)
  }

  /** A field of a text or json column. */
  text (text: string | null): void {
    if (text === null) {
      this.#reserve(LENGTH_SIZE)
      this.#at = this.#bytes.writeInt32BE(-1, this.#at)
      return
    }
    // No character is more than three bytes.
    this.#reserve(LENGTH_SIZE + text.length * 3)
    const length = this.#bytes.write(text, this.#at + LENGTH_SIZE, 'utf8')
    this.#at = this.#bytes.writeInt32BE(length, this.#at) + length
  }

  /** A field of a uuid column: 16 bytes, each of them a character. */
  uuid (bytes: string): void {
    this.#reserve(LENGTH_SIZE + UUID_SIZE)
    this.#at = this.#bytes.writeInt32BE(UUID_SIZE, this.#at)
    this.#at += this.#bytes.write(bytes, this.#at, 'latin1')
  }

  /** A field of a timestamptz column, epoch milliseconds. */
  time (milliseconds: number): void {
    this.#reserve(LENGTH_SIZE + 8)
    this.#at = this.#bytes.writeInt32BE(8, this.#at)
    const microseconds = (milliseconds - EPOCH) * 1_000
    if (!Number.isSafeInteger(microseconds)) {
      this.#at = this.#bytes.writeBigInt64BE(BigInt(Math.round(milliseconds - EPOCH)) * 1_000n, this.#at)
      return
    }
    // A BigInt would cost more than the rest of the row.
    const high = Math.floor(microseconds / LOW)
    this.#at = this.#bytes.writeInt32BE(high, this.#at)
    this.#at = this.#bytes.writeUInt32BE(microseconds - high * LOW, this.#at)
  }

  /** The rows as messages; a view that holds until `reset`. */
  messages (): Buffer {
    this.#reserve(TRAILER_SIZE)
    this.#at = this.#bytes.writeInt16BE(-1, this.#at)
    this.#bytes.writeInt32BE(this.#at - 1, 1)
    this.#at = this.#bytes.writeUInt8(COPY_DONE, this.#at)
    this.#at = this.#bytes.writeInt32BE(LENGTH_SIZE, this.#at)
    return this.#bytes.subarray(0, this.#at)
  }

  #reserve (size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
