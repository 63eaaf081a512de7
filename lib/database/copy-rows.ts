const FIRST_SIZE = 64 * 1024
/** A larger buffer is released on `reset`. */
const KEPT_SIZE = 8 * 1024 * 1024
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const COPY_DATA = 0x64
const COPY_DONE = 0x63
const LENGTH_SIZE = 4
const UUID_SIZE = 16
const TRAILER_SIZE = 7
/** 2000-01-01, the epoch of PostgreSQL timestamps, in epoch milliseconds. */
const EPOCH = 946_684_800_000
const LOW = 2 ** 32

/**
 * Encodes rows in the binary format of COPY FROM STDIN, as a CopyData and a CopyDone message. Strings need no escaping,
 * so received JSON is copied unchanged. (PostgreSQL: COPY, "Binary Format"; Frontend/Backend Protocol, "Message
 * Formats".)
 */
export class CopyRows {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE)
  #offset = 0
  readonly #columns: number

  /** @param columns number of fields in each row */
  constructor (columns: number) {
    this.#columns = columns
    this.reset()
  }

  /** Removes all rows. Messages taken before must already be sent, as they share the buffer. */
  reset (): void {
    if (this.#bytes.length > KEPT_SIZE) this.#bytes = Buffer.allocUnsafe(FIRST_SIZE)
    this.#bytes[0] = COPY_DATA
    this.#offset = 1 + LENGTH_SIZE
    this.#offset += SIGNATURE.copy(this.#bytes, this.#offset)
  }

  /** Starts a row. Add its fields in the order of the columns. */
  row (): void {
    this.#reserve(2)
    this.#offset = this.#bytes.writeInt16BE(this.#columns, this.#offset)
  }

  /** Number of bytes so far. Two readings delimit the fields added in between, for `again`. */
  get length (): number {
    return this.#offset
  }

  /** Appends a copy of the bytes `from` to `to`: fields that were already encoded. */
  repeat (from: number, to: number): void {
    this.#reserve(to - from)
    this.#offset += this.#bytes.copy(this.#bytes, this.#offset, from, to)
  }

  /** Adds a field of a text or json column. */
  text (text: string | null): void {
    if (text === null) {
      this.#reserve(LENGTH_SIZE)
      this.#offset = this.#bytes.writeInt32BE(-1, this.#offset)
      return
    }
    // A UTF-16 code unit encodes to at most three bytes.
    this.#reserve(LENGTH_SIZE + text.length * 3)
    const length = this.#bytes.write(text, this.#offset + LENGTH_SIZE, 'utf8')
    this.#offset = this.#bytes.writeInt32BE(length, this.#offset) + length
  }

  /** Adds a field of an int2 column. */
  int2 (value: number | null): void {
    this.#reserve(LENGTH_SIZE + 2)
    if (value === null) {
      this.#offset = this.#bytes.writeInt32BE(-1, this.#offset)
      return
    }
    this.#offset = this.#bytes.writeInt32BE(2, this.#offset)
    this.#offset = this.#bytes.writeInt16BE(value, this.#offset)
  }

  /** Adds a field of an int8 column. `value`: a safe integer. */
  int8 (value: number): void {
    this.#reserve(LENGTH_SIZE + 8)
    this.#offset = this.#bytes.writeInt32BE(8, this.#offset)
    const high = Math.floor(value / LOW)
    this.#offset = this.#bytes.writeInt32BE(high, this.#offset)
    this.#offset = this.#bytes.writeUInt32BE(value - high * LOW, this.#offset)
  }

  /** Adds a field of a uuid column. `bytes`: 16 characters, one per byte. */
  uuid (bytes: string): void {
    this.#reserve(LENGTH_SIZE + UUID_SIZE)
    this.#offset = this.#bytes.writeInt32BE(UUID_SIZE, this.#offset)
    this.#offset += this.#bytes.write(bytes, this.#offset, 'latin1')
  }

  /** Adds a field of a timestamptz column, epoch milliseconds. */
  time (milliseconds: number): void {
    this.#reserve(LENGTH_SIZE + 8)
    this.#offset = this.#bytes.writeInt32BE(8, this.#offset)
    const microseconds = (milliseconds - EPOCH) * 1_000
    if (!Number.isSafeInteger(microseconds)) {
      this.#offset = this.#bytes.writeBigInt64BE(BigInt(Math.round(milliseconds - EPOCH)) * 1_000n, this.#offset)
      return
    }
    // Two 32-bit writes: a BigInt costs more time than the rest of the row.
    const high = Math.floor(microseconds / LOW)
    this.#offset = this.#bytes.writeInt32BE(high, this.#offset)
    this.#offset = this.#bytes.writeUInt32BE(microseconds - high * LOW, this.#offset)
  }

  /** Returns the rows as messages. The view is valid until `reset`. */
  messages (): Buffer {
    this.#reserve(TRAILER_SIZE)
    this.#offset = this.#bytes.writeInt16BE(-1, this.#offset)
    this.#bytes.writeInt32BE(this.#offset - 1, 1)
    this.#offset = this.#bytes.writeUInt8(COPY_DONE, this.#offset)
    this.#offset = this.#bytes.writeInt32BE(LENGTH_SIZE, this.#offset)
    return this.#bytes.subarray(0, this.#offset)
  }

  #reserve (size: number): void {
    const needed = this.#offset + size
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#offset)
    this.#bytes = larger
  }
}
