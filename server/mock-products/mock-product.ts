import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'

import fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'

import { refuseForeignHosts } from '../allowed-hosts.js'
import type { CallRecorder } from '../start-page/calls.js'
import { TRACE } from '../start-page/mask.js'

/** A small server on a loopback port that validates requests like the real product. */
export interface MockProduct {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string
  close(): Promise<void>
}

export interface MockProductOptions {
  /** Origins of the pages that may frame the mock product. */
  embedders: readonly string[]
  /** Epoch milliseconds. Default: `Date.now`. */
  now?: () => number
  /** Records the requests of the start page's sessions. Default: they are not recorded. */
  calls?: CallRecorder
}

export interface MockProductPolicy extends Pick<MockProductOptions, 'embedders'> {
  /**
   * URLs of other servers that forms of the pages may reach, also by a redirect of the response. Default: the pages
   * have no forms.
   */
  formTargets?: readonly string[]
}

/** Policy of a mock product's own pages; `form-action` and `frame-ancestors` are added per mock product. */
const CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'"

export function mockProductApp ({ embedders, formTargets }: MockProductPolicy): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1_048_576, forceCloseConnections: true })
  const forms = formTargets === undefined
    ? "'none'"
    : ["'self'", ...new Set(formTargets.map((url) => new URL(url).origin))].join(' ')
  const ancestors = embedders.length === 0 ? "'none'" : embedders.join(' ')
  const policy = `${CSP}; form-action ${forms}; frame-ancestors ${ancestors}`
  // Under `no-referrer`, browsers send forms with `Origin: null`.
  const referrer = formTargets === undefined ? 'no-referrer' : 'strict-origin'
  refuseForeignHosts(app)
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': referrer,
      'Cache-Control': 'no-store'
    })
  })
  return app
}

/**
 * Records the requests to the given paths for the start page. The page's frames carry the id of its session in the
 * query, because they have no cookie of this server.
 */
export function recordCalls (
  app: FastifyInstance,
  calls: CallRecorder | undefined,
  { party, paths }: { party: 'databrain' | 'boldbi' | 'dxfeed', paths: readonly string[] }
): void {
  calls?.watch(app, {
    party,
    sessionOf: ({ query }) => calls.sessionOf((query as Record<string, unknown> | undefined)?.[TRACE]),
    topicOf: (path) => paths.includes(path) ? party : null
  })
}

/** Listens on a port of 127.0.0.1. Default: any free port. */
export async function listenOnLoopback (app: FastifyInstance, port = 0): Promise<MockProduct> {
  await app.listen({ host: '127.0.0.1', port })
  const address = app.server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${address.port}`, close: () => app.close() }
}

export function sendPage (reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(html)
}

/** Creates a random secret for one run. */
export function secretForThisRun (): string {
  return randomBytes(32).toString('base64url')
}

/** Live tokens with their expiry. The oldest are removed when there are more than 10 000. */
export class LiveTokens<Value> {
  readonly #tokens = new Map<string, { value: Value, expiresAt: number }>()
  readonly #now: () => number

  constructor (now: () => number = Date.now) {
    this.#now = now
  }

  add (token: string, value: Value, expiresAt: number): void {
    const oldest = this.#tokens.size >= 10_000 ? this.#tokens.keys().next().value : undefined
    if (oldest !== undefined) this.#tokens.delete(oldest)
    this.#tokens.set(token, { value, expiresAt })
  }

  get (token: string): Value | null {
    const found = this.#tokens.get(token)
    if (found === undefined || found.expiresAt <= this.#now()) return null
    return found.value
  }

  /** Like `get`, but each token works only once. */
  take (token: string): Value | null {
    const value = this.get(token)
    this.#tokens.delete(token)
    return value
  }
}
