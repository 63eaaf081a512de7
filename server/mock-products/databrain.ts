import { randomUUID } from 'node:crypto'

import type { FastifyRequest } from 'fastify'

import { sameSecret } from '../../signing/digest.js'
import { areaChart, figures, numbersOf, ranking, shortNumber } from './charts.js'
import { escapeHtml, page, refusal, serveAssets } from './page.js'
import {
  listenOnLoopback, LiveTokens, mockProductApp, recordCalls, secretForThisRun, sendPage
} from './mock-product.js'
import type { MockProduct, MockProductOptions } from './mock-product.js'
import { parseUrl } from '../../signing/parse-url.js'

/** Expiry of a token that was requested without an expiry: like the product's, it never expires. */
const FOREVER = Number.MAX_SAFE_INTEGER
const COMPONENT_LIMIT = 12_000

export interface DataBrainOptions extends MockProductOptions {
  /** The API key that callers must send. Default: a random key for this run. */
  apiKey?: string
  /** URLs, without query, from which the component's server may request a guest token. */
  proxyAuthUrls: readonly string[]
}

export interface DataBrain extends MockProduct {
  apiKey: string
}

interface Guest {
  clientId: string
  app: string
}

/**
 * Starts a mock DataBrain: creates guest tokens for callers with the API key, shows dashboards for valid tokens, and
 * serves the product's component, whose server requests the token from the customer's endpoint. Also answers the
 * component's calls through a customer's proxy.
 */
export async function startDataBrain (options: DataBrainOptions): Promise<DataBrain> {
  const { apiKey = secretForThisRun(), proxyAuthUrls, now = Date.now } = options
  const app = mockProductApp(options)
  recordCalls(app, options.calls, {
    party: 'databrain',
    paths: ['/api/v2/guest-token/create', '/component', '/component/session', '/embed', '/api/v2/dashboard']
  })
  const guests = new LiveTokens<Guest>(now)
  serveAssets(app, ['component.js', 'announce.js', 'databrain-plugin.js'])

  app.post('/api/v2/guest-token/create', async (request, reply) => {
    if (!sameSecret(bearer(request) ?? '', apiKey)) {
      return reply.code(401).send(errorBody('INVALID_TOKEN', 'The API key is not valid'))
    }
    const { clientId, dataAppName, expiryTime } = (request.body ?? {}) as Record<string, unknown>
    if (typeof clientId !== 'string' || clientId === '') {
      return reply.code(400).send(errorBody('CLIENT_ID_ERROR', 'clientId is required'))
    }
    if (expiryTime !== undefined && !(Number.isSafeInteger(expiryTime) && Number(expiryTime) > 0)) {
      return reply.code(400).send(
        errorBody('INVALID_REQUEST_BODY', 'expiryTime must be a positive integer of milliseconds')
      )
    }
    const token = randomUUID()
    guests.add(
      token,
      { clientId, app: typeof dataAppName === 'string' ? dataAppName : '' },
      expiryTime === undefined ? FOREVER : now() + Number(expiryTime)
    )
    return { token, error: null }
  })

  app.get('/component', async (_request, reply) =>
    sendPage(
      reply,
      page({
        title: 'DataBrain component',
        body: '<main class="waiting">Requesting a guest token …</main>',
        script: 'component.js'
      })
    ))

  // The body is the page's `window.dbn`. The product's servers call the customer's endpoint with the key that it
  // contains.
  app.post('/component/session', async (request, reply) => {
    const dbn = (request.body ?? {}) as Record<string, unknown>
    const problem = configProblem(dbn)
    if (problem !== null) return reply.code(400).send(errorBody('PROXY_AUTH_ERROR', problem))
    const url = String(dbn['proxyAuthUrl'])
    if (!isAllowed(url, proxyAuthUrls)) {
      return reply.code(403).send(errorBody('PROXY_AUTH_ERROR', 'This proxyAuthUrl is not allowed'))
    }
    const { status, token, error } = await requestToken(url, String(dbn['proxyAuthKey']))
    if (error !== null) return reply.code(status).send({ error })
    if (token === null || guests.get(token) === null) {
      return reply.code(401).send(errorBody('PROXY_AUTH_ERROR', 'The proxy returned no valid guest token'))
    }
    return { token }
  })

  app.get<{ Querystring: { token?: unknown } }>('/embed', async ({ query: { token } }, reply) => {
    const guest = typeof token === 'string' ? guests.get(token) : null
    if (guest === null) {
      return sendPage(reply.code(401), refusal('Not authorised', 'The guest token is unknown or has expired.'))
    }
    return sendPage(reply, page({ title: 'DataBrain dashboard', body: dashboard(guest), script: 'announce.js' }))
  })

  app.get('/api/v2/dashboard', async (request, reply) => {
    const token = request.headers['x-plugin-token']
    const guest = typeof token === 'string' ? guests.get(token) : null
    if (guest === null) return reply.code(401).send(errorBody('AUTHENTICATION_ERROR', 'Invalid token'))
    return { data: { externalDashboard: { name: nameOf(guest) }, clientId: guest.clientId } }
  })

  return { ...await listenOnLoopback(app), apiKey }
}

function isAllowed (text: string, allowed: readonly string[]): boolean {
  const url = parseUrl(text)
  if (url === null) return false
  const { origin, pathname } = url
  return allowed.includes(origin + pathname)
}

/** Returns which property of a page's `window.dbn` is missing or invalid, or `null` if all are valid. */
function configProblem (
  { baseUrl, proxyAuthUrl, proxyAuthKey, isEnableProxyAuth }: Record<string, unknown>
): string | null {
  if (isEnableProxyAuth !== true) {
    return 'window.dbn.isEnableProxyAuth is not true: the component uses direct token authentication, but has no token'
  }
  if (!isHttpUrl(baseUrl)) return 'window.dbn.baseUrl is required'
  if (!isNonEmpty(proxyAuthUrl)) return 'window.dbn.proxyAuthUrl is required'
  return isNonEmpty(proxyAuthKey) ? null : 'window.dbn.proxyAuthKey is required'
}

function isNonEmpty (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isHttpUrl (value: unknown): boolean {
  return typeof value === 'string' && ['http:', 'https:'].includes(parseUrl(value)?.protocol ?? '')
}

interface ProxyReply {
  status: number
  token: string | null
  /** The customer's error, which the component displays. */
  error: { code: string, message: string } | null
}

async function requestToken (url: string, key: string): Promise<ProxyReply> {
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(COMPONENT_LIMIT)
    })
    const { token, error } = await answer.json() as {
      token?: unknown
      error?: Partial<Record<'code' | 'message', unknown>> | null
    }
    if (typeof error?.message === 'string') {
      return {
        status: answer.ok ? 401 : answer.status,
        token: null,
        error: { code: String(error.code), message: error.message }
      }
    }
    return { status: answer.status, token: answer.ok && typeof token === 'string' ? token : null, error: null }
  } catch {
    return { status: 502, token: null, error: { code: 'PROXY_AUTH_ERROR', message: 'Network error or timeout' } }
  }
}

function bearer ({ headers: { authorization } }: FastifyRequest): string | null {
  return /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? null
}

function errorBody (code: string, message: string): object {
  return { error: { code, message } }
}

function nameOf ({ app }: Guest): string {
  return app === '' ? 'Revenue' : app
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const REGIONS = ['Germany', 'France', 'Netherlands', 'Spain']

function dashboard (guest: Guest): string {
  const { clientId } = guest
  const next = numbersOf(clientId)
  const previous = MONTHS.map((_, at) => 40_000 + at * 1_900 + next() * 9_000)
  const months = previous.map((value, at) => value * (1.04 + at * 0.012 + next() * 0.1))
  const [sum, sumBefore] = [total(months), total(previous)]
  const orders = Math.round(sum / (41 + next() * 4))
  return `<main>
<header><h1>${escapeHtml(nameOf(guest))}</h1><small>Rows of <b>${escapeHtml(clientId)}</b></small></header>
${
    figures([
      {
        label: 'Revenue',
        value: `€${shortNumber(sum)}`,
        change: `+${((sum / sumBefore - 1) * 100).toFixed(1)}%`,
        good: true
      },
      { label: 'Orders', value: orders.toLocaleString('en'), change: `+${(2 + next() * 6).toFixed(1)}%`, good: true },
      {
        label: 'Refunds',
        value: `${(1.2 + next()).toFixed(1)}%`,
        change: `+${(next() / 2).toFixed(1)} pt`,
        good: false
      }
    ])
  }
${areaChart('Revenue by month, previous year dashed', months, previous, MONTHS)}
${ranking('Revenue by country', REGIONS.map((name, at) => [name, (5 - at) * (0.7 + next() * 0.6)]))}
</main>`
}

function total (values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
