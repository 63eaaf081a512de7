import type { FastifyRequest } from 'fastify'

import { collectBody } from '../../../lib/http/raw-body.js'
import { codingOf, inflate } from '../body/inflate.js'
import { PAYLOAD_LIMIT } from './options.js'

/** Receives the decompressed body, or its first bytes. */
type Done = (body: Buffer, isComplete: boolean) => void

const NOTHING = Buffer.alloc(0)
/** Milliseconds within which the rest of a body must arrive after its request was refused. */
const READ_TIME = 10_000

/** Returns the body of a refused request if it has been read, else `null`. */
export function readBefore (request: FastifyRequest): Buffer | null {
  if (request.invalidBody !== null) return copyOf(request.invalidBody)
  // Longer than the limit in bytes too, which marks it as cut.
  return request.rawJson === '' ? null : Buffer.from(request.rawJson.slice(0, PAYLOAD_LIMIT + 1))
}

/** Decompresses the body that a guard has read before it refused the request. */
export function inflated ({ headers }: FastifyRequest, body: Buffer, done: Done): void {
  const coding = codingOf(headers['content-encoding'])
  if (coding === 'identity') return done(copyOf(body), true)
  if (coding === null || body.length > PAYLOAD_LIMIT) return done(NOTHING, false)
  inflate(coding, body, PAYLOAD_LIMIT, (error, bytes) => done(bytes, error === null))
}

/**
 * Reads the body of a request that was refused before its body was read, while the response is sent. A body that is too
 * long, or that does not arrive in time, is left to Node.js, which discards it.
 */
export function readAfterwards (request: FastifyRequest, done: Done): void {
  const { raw, headers } = request
  const length = headers['content-length']
  if (Number(length) > PAYLOAD_LIMIT) return done(NOTHING, false)
  let isDone = false
  const timer = setTimeout(end, READ_TIME, NOTHING, false).unref()
  const giveUp = () => end(NOTHING, false)
  raw.socket.once('close', giveUp)
  collectBody(raw, headers, PAYLOAD_LIMIT, (error, bytes) => {
    // Otherwise the connection would wait for the rest of the body.
    if (error !== null) raw.resume()
    const isWhole = error === null && (length === undefined || Number(length) === bytes.length)
    if (isWhole && !isDone) inflated(request, bytes, end)
    else giveUp()
  })

  function end (body: Buffer, isComplete: boolean): void {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    raw.socket.off('close', giveUp)
    done(body, isComplete)
  }
}

/** Copies the kept bytes and one more, which marks a longer body as cut: a part of a buffer keeps the whole buffer. */
function copyOf (body: Buffer): Buffer {
  return Buffer.from(body.subarray(0, PAYLOAD_LIMIT + 1))
}
