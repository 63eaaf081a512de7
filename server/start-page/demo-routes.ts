import { createHash } from 'node:crypto'

import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'

import { isReadable } from '../../contracts/event-sink.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'
import type { Source, TokenStore } from '../../contracts/token-store/index.js'
import { CONFLICT, FORBIDDEN, UNAUTHORIZED } from '../../lib/errors.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { signBody } from '../../signing/datafly/body-signature.js'
import { refuseForeignHosts } from '../allowed-hosts.js'
import { ORG } from '../demo-source.js'
import { parseUrl } from '../../signing/parse-url.js'
import { attacks } from './attacks.js'
import type { AttackParts, Refusal } from './attacks.js'
import type { DemoSession, Visit } from './session.js'

export interface DemoRoutesOptions extends Omit<AttackParts, 'app'> {
  store: TokenStore
  session: DemoSession
  hosts: readonly string[]
  /** Whether the page offers attacks: only if every product is a mock or disabled. */
  attacks: boolean
  demoSource(): Promise<Source | null>
}

/** Requests per minute and address: several tabs poll the timeline. */
const MAX_REQUESTS = 1_200
const LISTED_EVENTS = 100
const SHOWN_EVENTS = 12
const ATTACKS = ['expired-reference', 'expired-token', 'foreign-origin', 'revoke', 'restore'] as const
const AttackSchema = Type.Object({ attack: Type.Union(ATTACKS.map((name) => Type.Literal(name))) })
const SendSchema = Type.Object({
  way: Type.Union([Type.Literal('signature'), Type.Literal('foreign')]),
  messageId: Type.String({ minLength: 1, maxLength: 100 }),
  count: Type.Integer({ minimum: 1, maximum: 1_000_000 })
})
const AfterSchema = Type.Object({ after: Type.Integer({ minimum: 0, default: 0 }) })

/** Returns the beginning of the message ids of a session's events. Other visitors cannot guess it. */
export function eventPrefix ({ id }: Visit): string {
  return createHash('sha256').update(`events of ${id}`).digest('hex').slice(0, 12)
}

/**
 * Registers what only the start page needs: the timeline of the visitor's own session, attacks that a browser cannot
 * perform, and events that a server would send. Every route requires the session's cookie and refuses other origins.
 */
export async function demoRoutes (app: FastifyInstance, options: DemoRoutesOptions): Promise<void> {
  const { products, session, store, origin } = options
  const attack = attacks({ app, ...options })

  await routeScope(app, { rateLimit: { max: MAX_REQUESTS, timeWindow: 60_000 } }, async (scope) => {
    refuseForeignHosts(scope, options.hosts)
    scope.addHook('onRequest', async (request, reply) => {
      if (!isSameOrigin(request)) throw new FORBIDDEN({ reason: 'another origin' })
      if (session.of(request) === null) throw new UNAUTHORIZED()
      reply.header('Cache-Control', 'no-store')
    })

    scope.get<{ Querystring: { after: number } }>(
      '/demo/timeline',
      { schema: { querystring: AfterSchema } },
      async (request) => {
        const visit = visitOf(request)
        const calls = products.calls.list(visit.id, request.query.after)
        // Reads the sink only after a request that may have stored something.
        const events = calls.some(({ topic }) => topic === 'events') ? await eventsOf(visit) : null
        return { calls, events }
      }
    )

    if (!options.attacks) return
    scope.post<{ Body: { attack: typeof ATTACKS[number] } }>(
      '/demo/attack',
      { schema: { body: AttackSchema } },
      async (request) => {
        const visit = visitOf(request)
        switch (request.body.attack) {
          case 'expired-reference': return attack.expiredReference(visit)
          case 'expired-token': return attack.expiredToken(visit)
          case 'foreign-origin': return await attack.foreignOrigin(visit, request.headers.cookie ?? '')
          case 'revoke': await attack.revoke(visit); break
          case 'restore': await attack.restore(visit); break
        }
        return {}
      }
    )

    scope.post<{ Body: { way: 'signature' | 'foreign', messageId: string, count: number } }>(
      '/demo/event',
      { schema: { body: SendSchema } },
      async (request) => {
        const visit = visitOf(request)
        const source = await options.demoSource()
        if (source === null) throw new CONFLICT({ message: 'The demo source was deleted' })
        const { way, messageId, count } = request.body
        const event = { event: 'Order Completed', userId: visit.user, messageId, properties: { count } }
        return way === 'foreign'
          ? await attack.foreignEvent(visit, source.pipelineKey, event)
          : await sendSigned(visit, source, event)
      }
    )
  })

  /** Sends an event as a server of yours would: the secret stays on the server. */
  async function sendSigned (visit: Visit, { pipelineKey }: Source, event: object): Promise<Refusal> {
    const secret = (await store.sources.resolve(pipelineKey))?.secrets[0]?.value
    if (secret === undefined) throw new CONFLICT({ message: 'The demo source has no server secret' })
    const body = JSON.stringify({ type: 'track', ...event })
    return products.calls.run(visit.id, 'backend', async () => {
      const response = await fetch(`${origin}/v1/events`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${pipelineKey}`,
          'x-datafly-signature': signBody(secret, body)
        },
        body,
        signal: AbortSignal.timeout(5_000)
      })
      return { status: response.status, body: await response.json() }
    })
  }

  async function eventsOf (visit: Visit): Promise<object[]> {
    const [source, sink] = [await options.demoSource(), app.eventSink]
    if (source === null || !isReadable(sink)) return []
    const filter = { sourceId: source.id, from: visit.since }
    const { data } = await sink.list(ORG, filter, { limit: LISTED_EVENTS, cursor: undefined })
    const prefix = `${eventPrefix(visit)}-`
    return data.filter(({ messageId }) => messageId.startsWith(prefix)).slice(0, SHOWN_EVENTS).map(viewEvent)
  }

  function visitOf (request: FastifyRequest): Visit {
    const visit = session.of(request)
    if (visit === null) throw new UNAUTHORIZED()
    return visit
  }
}

/** Whether a page of this server sent the request. The scope has already checked `Host`. */
function isSameOrigin ({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  return headers.origin === undefined || parseUrl(headers.origin)?.host === headers.host
}

function viewEvent ({ messageId, type, authMethod, receivedAt, payload }: AcceptedEvent): object {
  const { event } = JSON.parse(payload) as { event?: unknown }
  return { messageId, type, authMethod, receivedAt, event: typeof event === 'string' ? event : null }
}
