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
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_SIZE)
  // Writes numbers in less time than the methods of Buffer: a row takes 0.9 µs instead of 1.4.
  #view = viewOf(this.#bytes)
  #offset = 0
  readonly #columns: number

  /** @param columns number of fields in each row */
  constructor (columns: number) {
    this.#columns = columns
    this.reset()
  }

  /** Removes all rows. Messages taken before must already be sent, as they share the buffer. */
  reset (): void {
    if (this.#bytes.length > KEPT_SIZE) this.#use(Buffer.allocUnsafe(FIRST_SIZE))
    this.#bytes[0] = COPY_DATA
    this.#offset = 1 + LENGTH_SIZE
    this.#offset += SIGNATURE.copy(this.#bytes, this.#offset)
  }

  /** Starts a row. Add its fields in the order of the columns. */
  row (): void {
    this.#reserve(2)
    this.#putInt16(this.#columns)
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
    if (text === null) return this.#addNull()
    // A UTF-16 code unit encodes to at most three bytes.
    this.#reserve(LENGTH_SIZE + text.length * 3)
    const length = this.#bytes.write(text, this.#offset + LENGTH_SIZE, 'utf8')
    this.#putInt32(length)
    this.#offset += length
  }

  /** Adds a field of an int2 column. */
  int2 (value: number | null): void {
    if (value === null) return this.#addNull()
    this.#reserve(LENGTH_SIZE + 2)
    this.#putInt32(2)
    this.#putInt16(value)
  }

  /** Adds a field of an int8 column. `value`: a safe integer. */
  int8 (value: number): void {
    this.#reserve(LENGTH_SIZE + 8)
    this.#putInt32(8)
    this.#putInt64(value)
  }

  /** Adds a field of a uuid column. `bytes`: 16 characters, one per byte. */
  uuid (bytes: string): void {
    this.#reserve(LENGTH_SIZE + UUID_SIZE)
    this.#putInt32(UUID_SIZE)
    this.#offset += this.#bytes.write(bytes, this.#offset, 'latin1')
  }

  /** Adds a field of a timestamptz column, epoch milliseconds. */
  time (milliseconds: number): void {
    this.#reserve(LENGTH_SIZE + 8)
    this.#putInt32(8)
    const microseconds = (milliseconds - EPOCH) * 1_000
    if (Number.isSafeInteger(microseconds)) return this.#putInt64(microseconds)
    this.#offset = this.#bytes.writeBigInt64BE(BigInt(Math.round(milliseconds - EPOCH)) * 1_000n, this.#offset)
  }

  /** Returns the rows as messages. The view is valid until `reset`. */
  messages (): Buffer {
    this.#reserve(TRAILER_SIZE)
    this.#putInt16(-1)
    this.#view.setInt32(1, this.#offset - 1)
    this.#offset = this.#bytes.writeUInt8(COPY_DONE, this.#offset)
    this.#putInt32(LENGTH_SIZE)
    return this.#bytes.subarray(0, this.#offset)
  }

  #addNull (): void {
    this.#reserve(LENGTH_SIZE)
    this.#putInt32(-1)
  }

  #putInt16 (value: number): void {
    this.#view.setInt16(this.#offset, value)
    this.#offset += 2
  }

  #putInt32 (value: number): void {
    this.#view.setInt32(this.#offset, value)
    this.#offset += 4
  }

  /** Two 32-bit numbers: a BigInt costs more time than the rest of the row. */
  #putInt64 (value: number): void {
    const high = Math.floor(value / LOW)
    this.#putInt32(high)
    // `setInt32` keeps the lower 32 bits.
    this.#putInt32(value - high * LOW)
  }

  #reserve (size: number): void {
    const needed = this.#offset + size
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#offset)
    this.#use(larger)
  }

  #use (bytes: Buffer): void {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }
}

function viewOf ({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
