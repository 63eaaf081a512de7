import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'

import { INVALID_REQUEST, PAYLOAD_TOO_LARGE } from './errors.js'
import type { GatehouseError } from './errors.js'

type Done = (error: GatehouseError | null, bytes: Buffer) => void

const NOTHING = Buffer.alloc(0)
const COLLECTION = Symbol('collection')

interface Collection {
  chunks: Buffer[]
  length: number
  limit: number
  /** `null` as long as nobody has asked for the body. */
  done: Done | null
  /** What there is for whoever asks, once the stream has ended. */
  outcome: { error: GatehouseError | null, bytes: Buffer } | null
}

type Payload = NodeJS.ReadableStream & { [COLLECTION]?: Collection | undefined }

/** Collects what a stream brings, at most `limit` bytes: beyond them it stops reading and gives `PAYLOAD_TOO_LARGE`. Calls back once. */
export function collectBody (payload: NodeJS.ReadableStream, headers: IncomingHttpHeaders, limit: number, done: Done): void {
  if (Number(headers['content-length']) > limit) return done(new PAYLOAD_TOO_LARGE(), NOTHING)
  const stream = payload as Payload
  const held = stream[COLLECTION]
  if (held === undefined) return collect(stream, limit, done)
  if (held.outcome === null) {
    held.done = done
    return
  }
  stream[COLLECTION] = undefined
  done(held.outcome.error, held.outcome.bytes)
}

/**
 * Begins to collect a body that `collectBody` is to ask for later, up to `limit` bytes. Node drops what has arrived of a request when its
 * client closes the connection, and a stream that is being read ends before that.
 */
export function holdBody (payload: NodeJS.ReadableStream, headers: IncomingHttpHeaders, limit: number): void {
  const stream = payload as Payload
  if (stream[COLLECTION] === undefined && !(Number(headers['content-length']) > limit)) collect(stream, limit, null)
}

/** Forgets what `holdBody` has collected, as nobody is to ask for it: what still comes is read and dropped. */
export function dropBody (payload: NodeJS.ReadableStream): void {
  (payload as Payload)[COLLECTION] = undefined
}

function collect (stream: Payload, limit: number, done: Done | null): void {
  stream[COLLECTION] = { chunks: [], length: 0, limit, done, outcome: null }
  // Their state is on the stream, so that no request needs listeners of its own.
  stream.on('data', takeChunk)
  stream.on('end', finish)
  stream.on('error', fail)
}

function takeChunk (this: Payload, chunk: Buffer | string): void {
  const collection = this[COLLECTION]
  if (collection === undefined || collection.outcome !== null) return
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  collection.length += bytes.length
  if (collection.length > collection.limit) {
    // What nobody has asked for yet is read to its end, as Node does with the body of a request that is refused.
    if (collection.done !== null) this.pause()
    settle(this, new PAYLOAD_TOO_LARGE(), NOTHING)
  } else collection.chunks.push(bytes)
}

function finish (this: Payload): void {
  const { chunks = [], length = 0 } = this[COLLECTION] ?? {}
  const [only = NOTHING] = chunks
  settle(this, null, chunks.length > 1 ? Buffer.concat(chunks, length) : only)
}

function fail (this: Payload, cause: unknown): void {
  settle(this, new INVALID_REQUEST({ message: 'The body did not arrive', cause }), NOTHING)
}

function settle (stream: Payload, error: GatehouseError | null, bytes: Buffer): void {
  const collection = stream[COLLECTION]
  if (collection === undefined || collection.outcome !== null) return
  if (collection.done === null) {
    collection.outcome = { error, bytes }
    collection.chunks = []
    return
  }
  stream[COLLECTION] = undefined
  // The listeners stay: with the collection gone they do nothing, and most streams end here anyway.
  collection.done(error, bytes)
}

/** A stream of bytes that were collected before, for whichever parser comes next. */
export class BodyReplay extends Readable {
  /** Read by Fastify, which compares it with Content-Length. */
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
