import type { FastifyReply, FastifyRequest } from 'fastify'

import { verifyWidgetToken } from '../../signing/widget-token.js'
import type { WidgetTokenVerdict } from '../../signing/widget-token.js'
import { page, refusal, serveAssets } from './page.js'
import { listenOnLoopback, secretForThisRun, sendPage, standInApp } from './stand-in.js'
import type { StandIn, StandInOptions } from './stand-in.js'

const MAX_LIFETIME = 20 * 60_000
const INSTRUMENTS = [
  ['AAPL', 'Apple', 228.1], ['MSFT', 'Microsoft', 431.6], ['NVDA', 'NVIDIA', 127.4], ['SAP', 'SAP', 214.9], ['ASML', 'ASML', 702.3]
] as const

export interface DxFeedOptions extends StandInOptions {
  /** Shared with whoever signs the tokens. Default: made for this run. */
  secret?: string
  issuer: string
  session: string
  timeUnit: 'ms' | 's'
}

export interface DxFeed extends StandIn {
  secret: string
}

/** Stands in for dxFeed: quotes for a raw widget token, everything else for the same token as a Bearer token. */
export async function startDxFeed (options: DxFeedOptions): Promise<DxFeed> {
  const { secret = secretForThisRun(), issuer, session, timeUnit, now = Date.now } = options
  const app = standInApp(options)
  serveAssets(app, ['widget.js'])

  function check (token: string): WidgetTokenVerdict {
    return verifyWidgetToken(token, { secret, issuer, session, timeUnit, now: now(), maxLifetime: MAX_LIFETIME })
  }

  app.get<{ Querystring: { token?: unknown } }>('/widget', async ({ query: { token } }, reply) => {
    const verdict = check(typeof token === 'string' ? token : '')
    if (!verdict.valid) return sendPage(reply.code(401), refusal('Not authorised', `The widget token was refused: ${verdict.reason}.`))
    return sendPage(reply, page({ title: 'dxFeed widget', body: WIDGET, script: 'widget.js' }))
  })

  // The feed takes the token as it is; the rest of the API takes it as a Bearer token.
  app.get('/quotes', async (request, reply) => {
    const verdict = check(request.headers.authorization ?? '')
    if (!verdict.valid) return refuse(reply, verdict.reason)
    return { quotes: INSTRUMENTS.map(([symbol, , price], at) => quote(symbol, price, at, now())) }
  })

  app.get('/instruments', async (request, reply) => {
    const verdict = check(bearer(request))
    if (!verdict.valid) return refuse(reply, verdict.reason)
    return { user: verdict.payload.user, filters: verdict.payload.filters, instruments: INSTRUMENTS.map(([symbol, name]) => ({ symbol, name })) }
  })

  return { ...await listenOnLoopback(app), secret }
}

function refuse (reply: FastifyReply, reason: string): FastifyReply {
  return reply.code(401).send({ error: 'unauthorized', reason })
}

function bearer ({ headers: { authorization } }: FastifyRequest): string {
  return /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? ''
}

/** A price that moves gently with time. */
function quote (symbol: string, price: number, at: number, time: number): object {
  const change = Math.sin(time / 9_000 + at * 1.7) * 1.8
  return { symbol, price: Number((price * (1 + change / 100)).toFixed(2)), change: Number(change.toFixed(2)) }
}

const WIDGET = `<main class="feed">
<header><h1>Watch list</h1><small id="user"></small></header>
<table>
<thead><tr><th>Symbol</th><th>Last</th><th>Change</th></tr></thead>
<tbody id="quotes"></tbody>
</table>
</main>`
