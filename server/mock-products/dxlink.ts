import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

import { verifyWidgetToken } from '../../signing/dxfeed/widget-token.js'
import type { VerifyWidgetTokenOptions } from '../../signing/dxfeed/widget-token.js'
import { readFrames, textFrame } from './dxlink-frames.js'

export const DXLINK_PATH = '/dxlink-ws'

const HANDSHAKE = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const CLOSE = 8

interface Message {
  type: string
  channel: number
  token?: string
  service?: string
  add?: Array<{ type?: string, symbol: string }>
}

interface Session {
  socket: Duplex
  url: string
  /** When the connection was opened, in epoch milliseconds. */
  opened: number
  /** The user of the last valid token; `null` before the first one. */
  user: string | null
  /** When that token expires, in epoch milliseconds. */
  ends: number
  send(message: object): void
}

/** The prices of a period that began at `time`, in epoch milliseconds. */
export interface Candle {
  time: number
  open: number
  high: number
  low: number
  close: number
}

/** The decision on a token that a client sent. */
export interface TokenVerdict {
  token: string
  /** Why the token was refused, or `null`. */
  reason: string | null
  /** The time from the connection to the decision. */
  milliseconds: number
}

export interface DxLinkServer {
  /** The result of each token that a client sent: `authorized <user>`, or why it was refused. */
  verdicts: string[]
  /** The total number of connections so far. */
  connections: number
  /** Sends `UNAUTHORIZED` to the clients whose token has expired, as the feed does. */
  endExpired(): void
  /** Ends all connections. */
  close(): void
}

export interface DxLinkOptions extends Omit<VerifyWidgetTokenOptions, 'now'> {
  now?(): number
  /** The user id from dxFeed; a token with another user id is refused. Default: any user id. */
  user?: string | undefined
  /** The quote of a symbol. Default: one fixed quote. */
  quoteOf?(symbol: string): { bidPrice: number, askPrice: number }
  /** The latest candles of a symbol, oldest first. Default: none. */
  candlesOf?(symbol: string): Candle[]
  /** Receives each decision with the URL of the connection. */
  onToken?(url: string, verdict: TokenVerdict): void
}

/**
 * A dxLink endpoint (protocol 0.1) on an HTTP server: authorizes widget tokens and sends one quote per subscription.
 */
export function dxlinkServer (
  server: Server,
  { now = Date.now, user, quoteOf = sameQuote, candlesOf = noCandles, onToken, ...options }: DxLinkOptions
): DxLinkServer {
  const sessions = new Set<Session>()
  const dxlink: DxLinkServer = { verdicts: [], connections: 0, endExpired, close }

  server.on('upgrade', (request, socket: Duplex) => {
    const { url = '' } = request
    if (url.replace(/\?.*$/, '') !== DXLINK_PATH) return socket.destroy()
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${HANDSHAKE}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    )
    dxlink.connections++
    const session: Session = {
      socket,
      url,
      opened: now(),
      user: null,
      ends: 0,
      send: (message) => socket.write(textFrame(JSON.stringify(message)))
    }
    sessions.add(session)
    socket.on('close', () => sessions.delete(session)).on('error', () => {})
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      const { frames, rest } = readFrames(Buffer.concat([received, chunk]))
      received = Buffer.from(rest)
      for (const { opcode, payload } of frames) {
        if (opcode === CLOSE) return socket.end()
        take(session, JSON.parse(payload.toString()) as Message)
      }
    })
  })

  function take (session: Session, message: Message): void {
    const { type, channel } = message
    if (type === 'SETUP') {
      // The first state is always UNAUTHORIZED. The timeout is an hour, because test pages may run with a fast clock.
      session.send({ type, channel, version: '0.1-mock', keepaliveTimeout: 3_600, acceptKeepaliveTimeout: 3_600 })
      session.send({ type: 'AUTH_STATE', channel, state: 'UNAUTHORIZED' })
    } else if (type === 'AUTH') {
      authorize(session, message.token ?? '')
    } else if (channel !== 0 && session.user === null) {
      session.send({ type: 'ERROR', channel, error: 'UNAUTHORIZED', message: 'not authorized' })
    } else if (type === 'CHANNEL_REQUEST') {
      session.send({ type: 'CHANNEL_OPENED', channel, service: message.service, parameters: {} })
    } else if (type === 'FEED_SUBSCRIPTION') {
      const data = (message.add ?? []).flatMap<object>(({ type, symbol }) =>
        type === 'Candle'
          // Such as `AAPL{=5s}`: the symbol and its period.
          ? candlesOf(symbol.replace(/\{.*$/, '')).map((candle) => ({ eventType: type, eventSymbol: symbol, ...candle }))
          : [{ eventType: 'Quote', eventSymbol: symbol, ...quoteOf(symbol) }]
      )
      session.send({ type: 'FEED_DATA', channel, data })
    }
  }

  function authorize (session: Session, token: string): void {
    const verdict = verifyWidgetToken(token, { ...options, now: now() })
    const unit = options.timeUnit === 's' ? 1_000 : 1
    const payload = verdict.valid && (user === undefined || verdict.payload.user === user) ? verdict.payload : null
    session.user = payload?.user ?? null
    session.ends = payload === null ? 0 : payload.expiration * unit
    const reason = payload !== null ? null : verdict.valid ? 'wrong_user' : verdict.reason
    dxlink.verdicts.push(reason ?? `authorized ${payload?.user}`)
    onToken?.(session.url, { token, reason, milliseconds: now() - session.opened })
    session.send({ type: 'AUTH_STATE', channel: 0, state: payload === null ? 'UNAUTHORIZED' : 'AUTHORIZED' })
  }

  function endExpired (): void {
    for (const session of sessions) {
      if (session.user === null || now() < session.ends) continue
      session.user = null
      session.send({ type: 'AUTH_STATE', channel: 0, state: 'UNAUTHORIZED' })
    }
  }

  function close (): void {
    for (const { socket } of sessions) socket.destroy()
  }

  return dxlink
}

function noCandles (): Candle[] {
  return []
}

function sameQuote (): { bidPrice: number, askPrice: number } {
  return { bidPrice: 228.1, askPrice: 228.2 }
}
