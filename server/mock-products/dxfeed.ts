import type { FastifyInstance, FastifyRequest } from 'fastify'

import { verifyWidgetToken } from '../../signing/dxfeed/widget-token.js'
import type { VerifiedWidgetToken } from '../../signing/dxfeed/widget-token.js'
import { DXLINK_PATH, dxlinkServer } from './dxlink.js'
import { serveAssets } from './page.js'
import { listenOnLoopback, secretForThisRun, mockProductApp } from './mock-product.js'
import type { MockProduct, MockProductOptions } from './mock-product.js'

const MAX_LIFETIME = 20 * 60_000
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
  allowPages(app, embedders)
  const rules = { secret, issuer, session, timeUnit, maxTtl: MAX_LIFETIME }

  app.get('/ipf', async (request, reply) => {
    const payload = payloadOf(request)
    if (payload === null) return reply.code(401).send({ error: 'unauthorized' })
    const instruments = INSTRUMENTS.map(([symbol, description]) => ({ symbol, description }))
    return { user: payload.user, filters: payload.filters, instruments }
  })
  app.get('/schedule', async () => ({ open: '09:30', close: '16:00', timeZone: 'America/New_York' }))

  const feed = dxlinkServer(app.server, { ...rules, user, now, quoteOf: (symbol) => quoteOf(symbol, now()) })
  const expiry = setInterval(feed.endExpired, 1_000).unref()
  app.addHook('preClose', async () => {
    clearInterval(expiry)
    feed.close()
  })

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

/** Returns a price that changes slowly with time. */
function quoteOf (symbol: string, time: number): { bidPrice: number, askPrice: number } {
  const at = INSTRUMENTS.findIndex(([known]) => known === symbol)
  const price = (INSTRUMENTS[at]?.[2] ?? 100) * (1 + Math.sin(time / 9_000 + at * 1.7) * 0.018)
  return { bidPrice: Number(price.toFixed(2)), askPrice: Number((price + 0.05).toFixed(2)) }
}
