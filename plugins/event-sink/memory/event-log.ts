import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { AcceptedEvent, AuthMethod, EventType } from '../../../contracts/event-sink.js'

const CHUNK_SIZE = 1024 * 1024
const TIME_SIZE = 8
const LENGTH_SIZE = 4
/** Two timestamps, the number of bytes of all strings, and the number of characters of each string. */
const HEAD_SIZE = 2 * TIME_SIZE + LENGTH_SIZE + 9 * LENGTH_SIZE
const NULL = -1

/**
 * Stores events consecutively as bytes outside of the heap, where garbage collection does not scan a million objects.
 * Each event has a permanent number. The oldest events can be dropped.
 */
export class EventLog {
  readonly #chunks: Array<{ bytes: Buffer, events: number }> = []
  #droppedChunks = 0
  #offset = 0
  /** Position of each event: the number of its chunk times the chunk size, plus its offset. */
  #positions: number[] = []
  #first = 0

  /** The number of the oldest event. */
  get first (): number {
    return this.#first
  }

  /** The number of the next event. */
  get end (): number {
    return this.#first + this.#positions.length
  }

  append (event: AcceptedEvent): void {
    const { orgId, sourceId, type, authMethod, ip, userAgent, payload, additions } = event
    const messageId = toColumnText(event.messageId)
    // One combined string: encoding costs more per string than per character.
    const text = messageId + orgId + sourceId + type + authMethod + ip + (userAgent ?? '') + payload + additions
    // A UTF-16 code unit encodes to at most three bytes.
    const bytes = this.#room(HEAD_SIZE + text.length * 3)
    let at = bytes.writeDoubleLE(event.timestamp, bytes.writeDoubleLE(event.receivedAt, this.#offset))
    const size = bytes.write(text, this.#offset + HEAD_SIZE, 'utf8')
    at = bytes.writeInt32LE(size, at)
    at = bytes.writeInt32LE(messageId.length, at)
    at = bytes.writeInt32LE(orgId.length, at)
    at = bytes.writeInt32LE(sourceId.length, at)
    at = bytes.writeInt32LE(type.length, at)
    at = bytes.writeInt32LE(authMethod.length, at)
    at = bytes.writeInt32LE(ip.length, at)
    at = bytes.writeInt32LE(userAgent?.length ?? NULL, at)
    at = bytes.writeInt32LE(payload.length, at)
    at = bytes.writeInt32LE(additions.length, at)
    this.#offset = at + size
  }

  /** Returns the event with a number from `first` up to, but not including, `end`. */
  get (number: number): AcceptedEvent {
    const place = this.#positions[number - this.#first] ?? NaN
    const bytes = this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]?.bytes
    if (bytes === undefined) throw new RangeError(`The event ${number} does not exist`)
    const start = place % CHUNK_SIZE
    let at = start + 2 * TIME_SIZE
    const size = bytes.readInt32LE(at)
    const whole = bytes.toString('utf8', start + HEAD_SIZE, start + HEAD_SIZE + size)
    const strings: Array<string | null> = []
    for (let from = 0; strings.length < 9;) {
      const length = bytes.readInt32LE(at += LENGTH_SIZE)
      strings.push(length === NULL ? null : whole.slice(from, from + length))
      from += Math.max(length, 0)
    }
    const [messageId, orgId, sourceId, type, authMethod, ip, userAgent, payload, additions] = strings as [
      string,
      string,
      string,
      EventType,
      AuthMethod,
      string,
      string | null,
      string,
      string
    ]
    return {
      receivedAt: bytes.readDoubleLE(start),
      timestamp: bytes.readDoubleLE(start + TIME_SIZE),
      messageId: fromColumnText(messageId),
      orgId,
      sourceId,
      type,
      authMethod,
      ip,
      userAgent,
      payload,
      additions
    }
  }

  receivedAt (number: number): number {
    const place = this.#positions[number - this.#first] ?? NaN
    return this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]?.bytes.readDoubleLE(place % CHUNK_SIZE) ??
      NaN
  }

  /** Drops all events before this number. */
  dropBefore (number: number): void {
    for (const place of this.#positions.splice(0, number - this.#first)) {
      const chunk = this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]
      if (chunk !== undefined) chunk.events--
    }
    // Keeps the last chunk, which is still being written to.
    while (this.#chunks.length > 1 && this.#chunks[0]?.events === 0) {
      this.#chunks.shift()
      this.#droppedChunks++
    }
    this.#first = number
  }

  /** Returns a chunk with room for the next event and notes the event's position. */
  #room (size: number): Buffer {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || this.#offset + size > CHUNK_SIZE) {
      chunk = { bytes: Buffer.allocUnsafe(Math.max(size, CHUNK_SIZE)), events: 0 }
      this.#chunks.push(chunk)
      this.#offset = 0
    }
    chunk.events++
    this.#positions.push((this.#droppedChunks + this.#chunks.length - 1) * CHUNK_SIZE + this.#offset)
    return chunk.bytes
  }
}
