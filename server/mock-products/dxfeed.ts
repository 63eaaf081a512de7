import type { FastifyInstance, FastifyRequest } from 'fastify'

import { verifyWidgetToken } from '../../signing/dxfeed/widget-token.js'
import type { VerifiedWidgetToken } from '../../signing/dxfeed/widget-token.js'
import { masked, TRACE } from '../start-page/mask.js'
import { DXLINK_PATH, dxlinkServer } from './dxlink.js'
import type { Candle, TokenVerdict } from './dxlink.js'
import { serveAssets } from './page.js'
import { listenOnLoopback, recordCalls, secretForThisRun, mockProductApp } from './mock-product.js'
import type { MockProduct, MockProductOptions } from './mock-product.js'

const MAX_LIFETIME = 20 * 60_000
/** The length of a candle in milliseconds, and the number of candles that are sent. */
const CANDLE = 5_000
const CANDLES = 48
const INSTRUMENTS = [
  ['AAPL', 'Apple', 228.1],
  ['MSFT', 'Microsoft', 431.6],
  ['NVDA', 'NVIDIA', 127.4],
  ['SAP', 'SAP', 214.9],
  ['ASML', 'ASML', 702.3]
] as const

export interface DxFeedOptions extends MockProductOptions {
  /** The secret shared with the server that signs the tokens. Default: a random secret for this run. */
  secret?: string
  issuer: string
  session: string
  timeUnit: 'ms' | 's'
  /** The user id from dxFeed; a token with another user id is refused. Default: any user id. */
  user?: string | undefined
}

export interface DxFeed extends MockProduct {
  secret: string
  /** The paths of the widget's `providers`. */
  paths: { feedPath: string, ipfPath: string, schedulePath: string }
}

/**
 * Starts a mock dxFeed: the feed accepts the raw token over dxLink, the instruments (`/ipf`) accept it as a Bearer
 * token, the trading schedule is public, and `simple-chart-widget.js` defines the page's `newSimpleChartWidget`.
 */
export async function startDxFeed (options: DxFeedOptions): Promise<DxFeed> {
  const { secret = secretForThisRun(), issuer, session, timeUnit, user, now = Date.now, embedders } = options
  const app = mockProductApp(options)
  serveAssets(app, ['simple-chart-widget.js'])
  recordCalls(app, options.calls, { party: 'dxfeed', paths: ['/ipf', '/schedule'] })
  allowPages(app, embedders)
  const rules = { secret, issuer, session, timeUnit, maxTtl: MAX_LIFETIME }

  app.get('/ipf', async (request, reply) => {
    const payload = payloadOf(request)
    if (payload === null) return reply.code(401).send({ error: 'unauthorized' })
    const instruments = INSTRUMENTS.map(([symbol, description]) => ({ symbol, description }))
    return { user: payload.user, filters: payload.filters, instruments }
  })
  app.get('/schedule', async () => ({ open: '09:30', close: '16:00', timeZone: 'America/New_York' }))

  const feed = dxlinkServer(app.server, {
    ...rules,
    user,
    now,
    quoteOf: (symbol) => quoteOf(symbol, now()),
    candlesOf: (symbol) => candlesOf(symbol, now()),
    onToken: recordToken
  })
  const expiry = setInterval(feed.endExpired, 1_000).unref()
  app.addHook('preClose', async () => {
    clearInterval(expiry)
    feed.close()
  })

  /** Records the token that a page of the start page sends over its WebSocket. */
  function recordToken (url: string, { token, reason, milliseconds }: TokenVerdict): void {
    const traced = options.calls?.sessionOf(new URLSearchParams(url.slice(url.indexOf('?') + 1)).get(TRACE)) ?? null
    if (traced === null) return
    options.calls?.add(traced, {
      topic: 'dxfeed',
      from: 'browser',
      to: 'dxfeed',
      method: 'WS',
      path: DXLINK_PATH,
      headers: [`AUTH: ${masked(token)}`],
      status: 101,
      milliseconds,
      code: reason === null ? null : 'UNAUTHORIZED',
      message: reason === null ? 'AUTHORIZED' : `The token is refused: ${reason}`
    })
  }

  function payloadOf ({ headers: { authorization } }: FastifyRequest): VerifiedWidgetToken | null {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? ''
    const verdict = verifyWidgetToken(token, { ...rules, now: now() })
    return verdict.valid && (user === undefined || verdict.payload.user === user) ? verdict.payload : null
  }

  const { origin, close } = await listenOnLoopback(app)
  const feedPath = origin.replace('http', 'ws') + DXLINK_PATH
  return { origin, close, secret, paths: { feedPath, ipfPath: `${origin}/ipf`, schedulePath: `${origin}/schedule` } }
}

/** Allows cross-origin requests of the pages that embed the widget. */
function allowPages (app: FastifyInstance, embedders: readonly string[]): void {
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    reply.header('Vary', 'Origin')
    if (origin === undefined || !embedders.includes(origin)) return
    reply.headers({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Headers': 'authorization' })
  })
  app.options('/*', async (_request, reply) => reply.code(204).send())
}

function quoteOf (symbol: string, time: number): { bidPrice: number, askPrice: number } {
  const price = priceOf(symbol, time)
  return { bidPrice: Number(price.toFixed(2)), askPrice: Number((price + 0.05).toFixed(2)) }
}

/** Returns a price that changes with time: a slow trend, waves and noise, the same for everyone at the same time. */
function priceOf (symbol: string, time: number): number {
  const at = INSTRUMENTS.findIndex(([known]) => known === symbol)
  const second = time / 1_000
  const trend = Math.sin(second / 240 + at) * 0.009
  const waves = Math.sin(second / 37 + at * 1.7) * 0.004 + Math.sin(second / 11 + at * 2.9) * 0.0016
  const noise = (Math.sin(Math.floor(second) * 12.9898 + at * 78.233) * 43758.5453 % 1) * 0.0007
  return (INSTRUMENTS[at]?.[2] ?? 100) * (1 + trend + waves + noise)
}

function candlesOf (symbol: string, now: number): Candle[] {
  const first = (Math.floor(now / CANDLE) - CANDLES + 1) * CANDLE
  return Array.from({ length: CANDLES }, (_, at) => {
    const time = first + at * CANDLE
    const end = Math.min(time + CANDLE, now)
    const prices = [0, 0.2, 0.4, 0.6, 0.8, 1].map((part) => priceOf(symbol, time + (end - time) * part))
    const [open = 0, close = 0] = [prices.at(0), prices.at(-1)]
    const [high, low] = [Math.max(...prices), Math.min(...prices)]
    return Object.assign({ time }, rounded({ open, high, low, close }))
  })
}

function rounded (prices: Omit<Candle, 'time'>): Omit<Candle, 'time'> {
  const entries = Object.entries(prices).map(([name, price]) => [name, Number(price.toFixed(2))])
  return Object.fromEntries(entries) as Omit<Candle, 'time'>
}
