import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'

import type { Test } from 'tap'

export interface RecordedCall {
  method: string
  /** The request target, byte for byte (latin1). */
  url: string
  headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  rawHeaders: string[]
  body: Buffer
}

export type Answer = (call: RecordedCall, response: ServerResponse) => void | Promise<void>

export interface StubUpstream {
  origin: string
  /** Every request that came in whole, oldest first. */
  calls: RecordedCall[]
  /** All bytes that came in, oldest connection first. */
  rawBytes(): string
  /** Sockets that are open now. */
  openSockets(): number
  /** Sockets that were ever opened: 0 means that nobody called. */
  connections(): number
  /** Replaces what is answered from now on. */
  answer: Answer
  close(): Promise<void>
}

/** A real server on loopback that records what it is sent and answers as told; closed when the test ends. */
export async function stubUpstream (
  t: Test,
  answer: Answer = reply({}),
  tls?: { key: string, cert: string }
): Promise<StubUpstream> {
  const received: Buffer[][] = []
  const open = new Set<Socket>()
  const listener: RequestListener = (request, response) => {
    record(request).then((call) => {
      stub.calls.push(call)
      return stub.answer(call, response)
    }).catch(() => response.destroy())
  }
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.on('connection', (socket: Socket) => {
    const chunks: Buffer[] = []
    received.push(chunks)
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    if (tls === undefined) socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stub: StubUpstream = {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    rawBytes: () => received.map((chunks) => Buffer.concat(chunks).toString('latin1')).join(''),
    openSockets: () => open.size,
    connections: () => received.length,
    answer,
    async close () {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  t.teardown(() => stub.close())
  return stub
}

async function record (request: IncomingMessage): Promise<RecordedCall> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url = '', headers, rawHeaders } = request
  return { method, url, headers, rawHeaders, body: Buffer.concat(chunks) }
}

/** Answers with JSON, or with a text or bytes as they are. */
export function reply (body: unknown, statusCode = 200, headers: Record<string, string | string[]> = {}): Answer {
  return (_call, response) => {
    const raw = typeof body === 'string' || Buffer.isBuffer(body)
    response.writeHead(statusCode, { 'content-type': raw ? 'text/html' : 'application/json', ...headers })
    response.end(raw ? body : JSON.stringify(body))
  }
}

/** Answers each call with the next of these, and with the last one from then on. */
export function inTurn (...answers: [Answer, ...Answer[]]): Answer {
  let next = 0
  return (call, response) => (answers[Math.min(next++, answers.length - 1)] as Answer)(call, response)
}

/** Never answers. */
export const hang: Answer = () => {}

/** Ends the connection without an answer. */
export const cut: Answer = (_call, response) => {
  response.destroy()
}

/** Answers with bytes that are no HTTP. */
export const junk: Answer = (_call, response) => {
  response.socket?.end('\x00\x01 this is no HTTP\r\n\r\n')
}

/** Sends the head at once and then one byte every `every` milliseconds, without end. */
export function drip (every = 20): Answer {
  return (_call, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), every)
    response.on('close', () => clearInterval(timer))
  }
}

/** Sends up to that many bytes as fast as they are taken. */
export function flood (bytes: number): Answer {
  function * blocks () {
    const block = Buffer.alloc(65_536, 'x')
    for (let sent = 0; sent < bytes; sent += block.length) yield block
  }
  // Whoever had enough has hung up.
  return (_call, response) => pipeline(Readable.from(blocks()), response).catch(() => {})
}

/** Sends a small gzip body that inflates to that many bytes. */
export function gzipBomb (bytes: number): Answer {
  const packed = gzipSync(Buffer.alloc(bytes, 32))
  return reply(packed, 200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
}

export function redirect (location: string, statusCode = 302): Answer {
  return reply('', statusCode, { location })
}
