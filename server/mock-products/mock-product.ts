import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'

import fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'

import { refuseForeignHosts } from '../allowed-hosts.js'

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
}
/** Policy of a mock product's own pages; `frame-ancestors` is added per mock product. */
const CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri " +
    "'none'; form-action 'none'"

export function mockProductApp ({ embedders }: MockProductOptions): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1_048_576, forceCloseConnections: true })
  const policy = `${CSP}; frame-ancestors ${embedders.length === 0 ? "'none'" : embedders.join(' ')}`
  refuseForeignHosts(app)
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store'
    })
  })
  return app
}

export async function listenOnLoopback (app: FastifyInstance): Promise<MockProduct> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => app.close() }
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
