import { randomUUID } from 'node:crypto'

import { hmacSha256, sameSecret } from '../../signing/digest.js'
import { readFilter, withoutFilter } from './boldbi-filter.js'
import type { FilterCondition } from './boldbi-filter.js'
import { figures, numbersOf, ranking, stackedBars } from './charts.js'
import { escapeHtml, page, refusal, serveAssets } from './page.js'
import {
  listenOnLoopback, LiveTokens, mockProductApp, recordCalls, secretForThisRun, sendPage
} from './mock-product.js'
import type { MockProduct, MockProductOptions } from './mock-product.js'

const SITE = '/bi/api/site/site1'
const SIGNATURE = '&embed_signature='
const MAX_SKEW = 300
const MAX_LIFE = 86_400

export interface BoldBiOptions extends MockProductOptions {
  /** The secret shared with the authorization server. Default: a random secret for this run. */
  embedSecret?: string
}

export interface BoldBi extends MockProduct {
  embedSecret: string
  /** The URL that the SDK calls `dashboardServerApiUrl`. */
  apiUrl: string
}

interface AuthorizeReply {
  status: number
  body: object
}

interface Grant {
  user: string
  dashboard: string
  mode: string
  /** `null`: the filter has invalid syntax, so the dashboard shows no data. */
  filter: readonly FilterCondition[] | null
}

/** Starts a mock Bold BI server: authorises signed embed queries and shows one dashboard per token. */
export async function startBoldBi (options: BoldBiOptions): Promise<BoldBi> {
  const { embedSecret = secretForThisRun(), now = Date.now } = options
  const app = mockProductApp(options)
  recordCalls(app, options.calls, {
    party: 'boldbi',
    paths: [`${SITE}/embed/authorize`, `${SITE}/embed/dashboard`]
  })
  const grants = new LiveTokens<Grant>(now)
  serveAssets(app, ['announce.js'])

  function authorize (signedQuery: string): AuthorizeReply {
    const at = signedQuery.lastIndexOf(SIGNATURE)
    if (at === -1) return refused('embed_signature is missing')
    const query = signedQuery.slice(0, at)
    // Compares the raw strings: Bold BI's samples send plain base64, and a percent-encoded signature differs.
    const expected = hmacSha256(embedSecret, query, 'base64')
    const signature = signedQuery.slice(at + SIGNATURE.length)
    if (!sameSecret(signature, expected)) return refused('embed_signature does not match')
    const fields = new URLSearchParams(withoutFilter(query))
    const seconds = now() / 1000
    const stamp = Number(fields.get('embed_server_timestamp') ?? NaN)
    if (!(Math.abs(stamp - seconds) <= MAX_SKEW)) return refused('embed_server_timestamp is more than five minutes off')
    const user = fields.get('embed_user_email') ?? ''
    if (user === '') return refused('embed_user_email is missing')
    const life = Math.min(Number(fields.get('embed_expirationtime') ?? MAX_LIFE) || MAX_LIFE, MAX_LIFE)
    const [dashboard, mode] = [fields.get('embed_dashboard_id') ?? '', fields.get('embed_mode') ?? 'view']
    return granted({ user, dashboard, mode, filter: readFilter(query) }, life)
  }

  /** Servers from 14.1 on also accept an object with the secret instead of a signature. */
  function authorizeObject (sent: unknown): AuthorizeReply {
    const { embedsecret, email, dashboard } = (sent ?? {}) as {
      embedsecret?: unknown
      email?: unknown
      dashboard?: { id?: unknown }
    }
    if (typeof embedsecret !== 'string' || !sameSecret(embedsecret, embedSecret)) {
      return refused('embedsecret does not match')
    }
    if (typeof email !== 'string' || email === '') return refused('email is missing')
    const id = typeof dashboard?.id === 'string' ? dashboard.id : ''
    return granted({ user: email, dashboard: id, mode: 'view', filter: [] }, MAX_LIFE)
  }

  function granted (grant: Grant, life: number): AuthorizeReply {
    const token = randomUUID()
    const { dashboard } = grant
    grants.add(token, grant, now() + life * 1000)
    return {
      status: 200,
      body: {
        ApiStatus: true,
        Status: true,
        Message: '',
        Data: {
          access_token: token,
          token_type: 'bearer',
          expires_in: life,
          DashboardId: dashboard,
          DashboardUrl: `${SITE}/embed/dashboard?token=${token}`
        }
      }
    }
  }

  app.get(`${SITE}/embed/authorize`, async ({ raw: { url = '' } }, reply) => {
    const { status, body } = authorize(url.slice(url.indexOf('?') + 1))
    return reply.code(status).send(body)
  })

  app.post(`${SITE}/embed/authorize`, async (request, reply) => {
    const { body: sent } = request
    const { status, body } = typeof sent === 'string' ? authorize(sent) : authorizeObject(sent)
    return reply.code(status).send(body)
  })

  app.get<{ Querystring: { token?: unknown } }>(`${SITE}/embed/dashboard`, async ({ query: { token } }, reply) => {
    const grant = typeof token === 'string' ? grants.take(token) : null
    if (grant === null) {
      return sendPage(
        reply.code(401),
        refusal('Not authorised', 'This embed token is unknown, already used or expired.')
      )
    }
    return sendPage(reply, page({ title: 'Bold BI dashboard', body: dashboard(grant), script: 'announce.js' }))
  })

  const { origin, close } = await listenOnLoopback(app)
  return { origin, close, embedSecret, apiUrl: origin + SITE }
}

function refused (Message: string): AuthorizeReply {
  return { status: 401, body: { ApiStatus: false, Status: false, Message } }
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const TOPICS = ['Delivery', 'Billing', 'Returns', 'Account']

function dashboard ({ user, mode, filter }: Grant): string {
  const header = `<header><h1>Support desk</h1><small><b>${escapeHtml(user)}</b>, ${escapeHtml(mode)}</small></header>`
  if (filter === null) return `<main class="bold">\n${header}\n<p>There is no data to be displayed</p>\n</main>`
  const next = numbersOf(user)
  const days = DAYS.map((_, at): [number, number] => {
    const all = at < 5 ? 70 + next() * 50 : 18 + next() * 20
    const unsolved = Math.round(all * (0.08 + at * 0.04))
    return [Math.round(all) - unsolved, unsolved]
  })
  const open = days.reduce((sum, [, unsolved]) => sum + unsolved, 0)
  const conditions = filter.map(({ name, operator, values }) => {
    return `<p class="filter">${
      escapeHtml(`${name} ${operator} ${values.map((value) => JSON.stringify(value)).join(' ')}`)
    }</p>\n`
  })
  return `<main class="bold">
${header}
${conditions.join('')}${
    figures([
      { label: 'Open tickets', value: String(open), change: `−${(3 + next() * 9).toFixed(0)}%`, good: true },
      {
        label: 'First reply',
        value: `${Math.round(25 + next() * 30)} min`,
        change: `+${(1 + next() * 4).toFixed(0)}%`,
        good: false
      },
      {
        label: 'Satisfied',
        value: `${(93 + next() * 5).toFixed(1)}%`,
        change: `+${(next() * 2).toFixed(1)} pt`,
        good: true
      }
    ])
  }
${stackedBars('Tickets by weekday, solved and open', days, DAYS)}
${ranking('Tickets by topic', TOPICS.map((name, at) => [name, (5 - at) * (0.7 + next() * 0.6)]))}
</main>`
}
