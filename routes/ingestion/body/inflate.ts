import { constants } from 'node:buffer'
import { gunzip, inflate as inflateZlib, inflateRaw } from 'node:zlib'
import type { CompressCallback, Zlib } from 'node:zlib'

import { INVALID_REQUEST, PAYLOAD_TOO_LARGE, UNAVAILABLE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'

export type Coding = 'identity' | 'gzip' | 'deflate'
type Done = (error: GatehouseError | null, bytes: Buffer) => void

interface Job {
  coding: Coding
  bytes: Buffer
  limit: number
  done: Done
}
interface Inflated {
  buffer: Buffer
  engine: Zlib
}

const CODINGS: Readonly<Record<string, Coding | undefined>> = Object.assign(Object.create(null), {
  identity: 'identity',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate'
})
const EMPTY = Buffer.alloc(0)

/** Half of libuv's default thread pool, so that password hashing and file access keep the other half. */
const MAX_CONCURRENT = 2
const MAX_WAITING = 1_000
/** Output chunk for large bodies, in bytes. Twice as fast as zlib's default of 16 KiB. */
const LARGE_CHUNK = 64 * 1024
const LARGE_BODY = 4_096

// Shared by the process, like the thread pool. A waiting job holds only the compressed bytes.
const waiting: Job[] = []
let running = 0

/**
 * Returns the coding of a `Content-Encoding` header; `null` for an unknown coding, a list of codings or an empty value.
 */
export function codingOf (header: string | undefined): Coding | null {
  return header === undefined ? 'identity' : CODINGS[header.toLowerCase()] ?? null
}

/**
 * Decompresses a body outside of the event loop. `done` gets `PAYLOAD_TOO_LARGE` if the output exceeds `limit` bytes,
 * and `INVALID_REQUEST` if the body is truncated, damaged or followed by more bytes. Two bodies are decompressed at a
 * time, which bounds the memory of concurrent zip bombs; if 1 000 bodies wait, `done` gets `UNAVAILABLE`.
 */
export function inflate (coding: Coding, bytes: Buffer, limit: number, done: Done): void {
  const job = { coding, bytes, limit, done }
  if (running < MAX_CONCURRENT) start(job)
  else if (waiting.length < MAX_WAITING) waiting.push(job)
  else done(new UNAVAILABLE({ reason: 'too many compressed bodies wait' }), EMPTY)
}

/** Returns a callback for a received body that decompresses the body and passes the result to `done`. */
export function inflateThen (coding: Coding, limit: number, done: Done): Done {
  return function inflateReceived (error, bytes) {
    if (error === null) inflate(coding, bytes, limit, done)
    else done(error, bytes)
  }
}

function start ({ coding, bytes, limit, done }: Job): void {
  running++
  // "info" gives the number of input bytes read: zlib silently ignores bytes after the end of a deflate stream.
  const options = {
    maxOutputLength: Math.min(limit, constants.MAX_LENGTH),
    info: true,
    ...bytes.length > LARGE_BODY ? { chunkSize: LARGE_CHUNK } : {}
  }
  inflaterOf(coding, bytes)(
    bytes,
    options,
    function inflated (error, result) {
      running--
      const next = waiting.shift()
      if (next !== undefined) start(next)
      if (error !== null) return done(toInflateError(error), EMPTY)
      const { buffer, engine } = result as unknown as Inflated
      if (engine.bytesWritten === bytes.length) done(null, buffer)
      else done(decompressionError('bytes after the end of the compressed body'), EMPTY)
    } satisfies CompressCallback
  )
}

function inflaterOf (coding: Coding, bytes: Buffer): typeof gunzip {
  if (coding === 'gzip') return gunzip
  // HTTP's "deflate" is the zlib format, but many clients send raw deflate. Only a zlib header has 8 in its low four
  // bits.
  return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateZlib : inflateRaw
}

function toInflateError (error: NodeJS.ErrnoException): GatehouseError {
  return error.code === 'ERR_BUFFER_TOO_LARGE' ? new PAYLOAD_TOO_LARGE() : decompressionError(error.code ?? 'unknown')
}

function decompressionError (reason: string): GatehouseError {
  return new INVALID_REQUEST({ message: 'The body could not be decompressed', reason })
}
