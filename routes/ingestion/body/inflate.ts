import { constants } from 'node:buffer'
import { gunzip, inflate as inflateZlib, inflateRaw } from 'node:zlib'
import type { CompressCallback, Zlib } from 'node:zlib'

import { INVALID_REQUEST, PAYLOAD_TOO_LARGE, UNAVAILABLE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'

export type Coding = 'identity' | 'gzip' | 'deflate'
type Done = (error: GatehouseError | null, bytes: Buffer) => void

interface Job { coding: Coding, bytes: Buffer, limit: number, done: Done }
interface Inflated { buffer: Buffer, engine: Zlib }

const CODINGS: Readonly<Record<string, Coding | undefined>> = Object.assign(Object.create(null), {
  identity: 'identity', gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate'
})
const NOTHING = Buffer.alloc(0)

/** Half of the threads that a process has for such work, so that the other half stays for logins and files. */
const AT_ONCE = 2
const MAX_WAITING = 1_000
/** Twice as fast as zlib's own 16 KB where there is much to write. */
const LARGE_CHUNK = 64 * 1024
const LARGE_BODY = 4_096

// Of the process, as its threads are. What waits holds no more than what came on the wire.
const waiting: Job[] = []
let running = 0

/** What a `Content-Encoding` says; `null` for a coding that is not known, a list of several, and nothing at all. */
export function codingOf (header: string | undefined): Coding | null {
  return header === undefined ? 'identity' : CODINGS[header.toLowerCase()] ?? null
}

/**
 * Inflates a body off the event loop, as far as `limit` bytes: beyond them it stops and gives `PAYLOAD_TOO_LARGE`. What is cut short,
 * damaged, or goes on after its end is `INVALID_REQUEST`. Only a few are inflated at a time, so that a hundred bombs at once
 * take the memory of two; where a thousand wait, the next is `UNAVAILABLE`.
 */
export function inflate (coding: Coding, bytes: Buffer, limit: number, done: Done): void {
  const job = { coding, bytes, limit, done }
  if (running < AT_ONCE) start(job)
  else if (waiting.length < MAX_WAITING) waiting.push(job)
  else done(new UNAVAILABLE({ reason: 'too many compressed bodies wait' }), NOTHING)
}

/** For what takes a body once it has arrived. */
export function inflateThen (coding: Coding, limit: number, done: Done): Done {
  return function inflateReceived (error, bytes) {
    if (error === null) inflate(coding, bytes, limit, done)
    else done(error, bytes)
  }
}

function start ({ coding, bytes, limit, done }: Job): void {
  running++
  // "info" for how much of the input was used: what follows the end of a deflate stream goes unmentioned otherwise.
  const options = {
    maxOutputLength: Math.min(limit, constants.MAX_LENGTH), info: true, ...bytes.length > LARGE_BODY ? { chunkSize: LARGE_CHUNK } : {}
  }
  inflaterOf(coding, bytes)(bytes, options, function inflated (error, result) {
    running--
    const next = waiting.shift()
    if (next !== undefined) start(next)
    if (error !== null) return done(toInflateError(error), NOTHING)
    const { buffer, engine } = result as unknown as Inflated
    if (engine.bytesWritten === bytes.length) done(null, buffer)
    else done(broken('bytes after the end of the compressed body'), NOTHING)
  } satisfies CompressCallback)
}

function inflaterOf (coding: Coding, bytes: Buffer): typeof gunzip {
  if (coding === 'gzip') return gunzip
  // HTTP means the zlib format, but many clients send bare deflate; the lower half of zlib's first byte is always 8, of no bare stream.
  return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateZlib : inflateRaw
}

function toInflateError (error: NodeJS.ErrnoException): GatehouseError {
  return error.code === 'ERR_BUFFER_TOO_LARGE' ? new PAYLOAD_TOO_LARGE() : broken(error.code ?? 'unknown')
}

function broken (reason: string): GatehouseError {
  return new INVALID_REQUEST({ message: 'The body could not be decompressed', reason })
}
