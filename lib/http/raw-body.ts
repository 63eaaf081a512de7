import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

import { INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../errors.js'
import type { GatehouseError } from '../errors.js'

type Done = (error: GatehouseError | null, bytes: Buffer) => void
/** `whole`: the body has ended or failed within the limit. */
type HeadDone = (head: Buffer, whole: boolean) => void

const NOTHING = Buffer.alloc(0)
const COLLECTION = Symbol('collection')

interface Collection {
  /** `null` before the first chunk. */
  chunks: Buffer[] | null
  length: number
  /** Maximum number of bytes. While `done` is `null` the stream pauses there; otherwise a larger body is refused. */
  limit: number
  /** Receives the body; `null` until `collectBody` asks for it. */
  done: Done | null
  /** Receives the first bytes; `null`: no caller waits for them. */
  head: HeadDone | null
  /** The response to the request, if its body is buffered. */
  response: ServerResponse | null
  /** The result for `collectBody`, once the stream has ended. */
  outcome: { error: GatehouseError | null, bytes: Buffer } | null
}

type Payload = NodeJS.ReadableStream & { [COLLECTION]?: Collection | undefined }

/**
 * Collects the bytes of a stream. Beyond `limit` bytes it stops reading and returns `PAYLOAD_TOO_LARGE`. Calls back
 * once.
 */
export function collectBody (
  payload: NodeJS.ReadableStream,
  headers: IncomingHttpHeaders,
  limit: number,
  done: Done
): void {
  if (Number(headers['content-length']) > limit) return done(tooLarge(limit), NOTHING)
  const stream = payload as Payload
  const collection = stream[COLLECTION]
  if (collection === undefined) return collect(stream, limit, done, null, null)
  collection.limit = limit
  collection.done = done
  if (collection.outcome !== null) {
    stream[COLLECTION] = undefined
    done(collection.outcome.error, collection.outcome.bytes)
  } else if (collection.length > limit) {
    settle(stream, tooLarge(limit), NOTHING)
  } else {
    stream.resume()
  }
}

/**
 * Starts to collect a body for a later `collectBody`. After `limit` bytes the stream pauses, so that a request takes
 * little memory before it is admitted; if the request is refused, the rest is discarded. Node.js discards the unread
 * body of a client that disconnects, but the bytes read so far are kept.
 */
export function bufferBody (payload: NodeJS.ReadableStream, response: ServerResponse, limit: number): void {
  const stream = payload as Payload
  if (stream[COLLECTION] === undefined) collect(stream, limit, null, null, response)
}

/**
 * Buffers a body like `bufferBody` and calls back once: with the whole body if it ends within `limit` bytes, otherwise
 * with the first `limit` bytes. A later `collectBody` returns the whole body.
 */
export function bufferHead (
  payload: NodeJS.ReadableStream,
  response: ServerResponse,
  limit: number,
  head: HeadDone
): void {
  collect(payload as Payload, limit, null, head, response)
}

function collect (
  stream: Payload,
  limit: number,
  done: Done | null,
  head: HeadDone | null,
  response: ServerResponse | null
): void {
  stream[COLLECTION] = { chunks: null, length: 0, limit, done, head, response, outcome: null }
  // The state is on the stream, so that requests need no closures as listeners.
  stream.on('data', takeChunk)
  stream.on('end', finish)
  stream.on('error', fail)
}

function takeChunk (this: Payload, chunk: Buffer | string): void {
  const collection = this[COLLECTION]
  if (collection === undefined || collection.outcome !== null) return
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  collection.length += bytes.length
  // Most bodies are one chunk; a first `push` would reserve room for 17.
  if (collection.chunks === null) collection.chunks = [bytes]
  else collection.chunks.push(bytes)
  if (collection.length <= collection.limit) return
  if (collection.response?.writableFinished === true) return drop(this)
  this.pause()
  if (collection.done !== null) return settle(this, tooLarge(collection.limit), NOTHING)
  const { head, limit, response } = collection
  collection.head = null
  // Otherwise a connection whose request is refused waits forever for a body that no route reads.
  response?.once('finish', () => drop(this))
  head?.(bytesOf(collection).subarray(0, limit), false)
}

/** Discards the rest of a body. */
function drop (stream: Payload): void {
  stream[COLLECTION] = undefined
  stream.resume()
}

function finish (this: Payload): void {
  // Otherwise Node.js removes it at the end of the response, in a way that takes longer.
  this.removeListener('data', takeChunk)
  settle(this, null, bytesOf(this[COLLECTION]))
}

function bytesOf (collection: Collection | undefined): Buffer {
  if (collection === undefined || collection.chunks === null) return NOTHING
  const { chunks, length } = collection
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length)
}

function fail (this: Payload, cause: unknown): void {
  settle(this, new INVALID_REQUEST({ message: 'The body did not arrive', cause }), NOTHING)
}

function tooLarge (limit: number): GatehouseError {
  return new PAYLOAD_TOO_LARGE({ reason: `the body has more than ${limit} bytes` })
}

function settle (stream: Payload, error: GatehouseError | null, bytes: Buffer): void {
  const collection = stream[COLLECTION]
  if (collection === undefined || collection.outcome !== null) return
  if (collection.done === null) {
    const { head } = collection
    collection.outcome = { error, bytes }
    collection.chunks = null
    collection.head = null
    head?.(bytes, true)
    return
  }
  stream[COLLECTION] = undefined
  // Listeners that stay do nothing without the collection.
  collection.done(error, bytes)
}

/** A stream of bytes that were already collected, for the next parser. */
export class BodyReplay extends Readable {
  /** Fastify compares this number with Content-Length. */
  readonly receivedEncodedLength: number
  #bytes: Buffer | null

  constructor (bytes: Buffer) {
    super()
    this.receivedEncodedLength = bytes.length
    this.#bytes = bytes.length === 0 ? null : bytes
  }

  override _read (): void {
    const bytes = this.#bytes
    this.#bytes = null
    this.push(bytes)
  }
}
