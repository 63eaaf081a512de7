import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { AcceptedEvent, AuthMethod, EventType } from '../../../contracts/event-sink.js'

const CHUNK_SIZE = 1024 * 1024
const TIME_SIZE = 8
const LENGTH_SIZE = 4
/** Two times, how many bytes the texts take together, how many characters each. */
const HEAD_SIZE = 2 * TIME_SIZE + LENGTH_SIZE + 9 * LENGTH_SIZE
const NULL = -1

/**
 * Events one after the other, as bytes outside of the heap, where a million objects would be walked over by every collection. Each
 * has a number, which it keeps; the oldest can be dropped.
 */
export class EventLog {
  readonly #chunks: Array<{ bytes: Buffer, events: number }> = []
  #droppedChunks = 0
  #at = 0
  /** Where each event begins: the number of its chunk times the size of one, and its place in it. */
  #places: number[] = []
  #first = 0

  /** The number of the oldest event. */
  get first (): number {
    return this.#first
  }

  /** The number that the next event gets. */
  get end (): number {
    return this.#first + this.#places.length
  }

  append (event: AcceptedEvent): void {
    const { orgId, sourceId, type, authMethod, ip, userAgent, payload, additions } = event
    const messageId = toColumnText(event.messageId)
    // One text: to write is more work for each text than for each character.
    const text = messageId + orgId + sourceId + type + authMethod + ip + (userAgent ?? '') + payload + additions
    // No character is more than three bytes.
    const bytes = this.#room(HEAD_SIZE + text.length * 3)
    let at = bytes.writeDoubleLE(event.timestamp, bytes.writeDoubleLE(event.receivedAt, this.#at))
    const size = bytes.write(text, this.#at + HEAD_SIZE, 'utf8')
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
    this.#at = at + size
  }

  /** An event by its number, from `first` to before `end`. */
  get (number: number): AcceptedEvent {
    const place = this.#places[number - this.#first] ?? NaN
    const bytes = this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]?.bytes
    if (bytes === undefined) throw new RangeError(`There is no event ${number}`)
    const start = place % CHUNK_SIZE
    let at = start + 2 * TIME_SIZE
    const size = bytes.readInt32LE(at)
    const whole = bytes.toString('utf8', start + HEAD_SIZE, start + HEAD_SIZE + size)
    const texts: Array<string | null> = []
    for (let from = 0; texts.length < 9;) {
      const length = bytes.readInt32LE(at += LENGTH_SIZE)
      texts.push(length === NULL ? null : whole.slice(from, from + length))
      from += Math.max(length, 0)
    }
    const [messageId, orgId, sourceId, type, authMethod, ip, userAgent, payload, additions] = texts as [
      string, string, string, EventType, AuthMethod, string, string | null, string, string
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
    const place = this.#places[number - this.#first] ?? NaN
    return this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]?.bytes.readDoubleLE(place % CHUNK_SIZE) ?? NaN
  }

  /** Drops what is older than the event of this number. */
  dropBefore (number: number): void {
    for (const place of this.#places.splice(0, number - this.#first)) {
      const chunk = this.#chunks[Math.floor(place / CHUNK_SIZE) - this.#droppedChunks]
      if (chunk !== undefined) chunk.events--
    }
    // The last one is still written to.
    while (this.#chunks.length > 1 && this.#chunks[0]?.events === 0) {
      this.#chunks.shift()
      this.#droppedChunks++
    }
    this.#first = number
  }

  /** The chunk that the next event is to be written to, its place noted. */
  #room (size: number): Buffer {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || this.#at + size > CHUNK_SIZE) {
      chunk = { bytes: Buffer.allocUnsafe(Math.max(size, CHUNK_SIZE)), events: 0 }
      this.#chunks.push(chunk)
      this.#at = 0
    }
    chunk.events++
    this.#places.push((this.#droppedChunks + this.#chunks.length - 1) * CHUNK_SIZE + this.#at)
    return chunk.bytes
  }
}
