import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import eventSink from '../../plugins/event-sink/index.js'
import { viewEvent } from '../../plugins/event-sink/event-view.js'
import type { AcceptedEvent, ReadableEventSink } from '../../contracts/event-sink.js'
import tokenStore from '../../plugins/token-store/index.js'
import type { NewSource, TokenStore } from '../../contracts/token-store/index.js'
import ingestion from '../../routes/ingestion/index.js'
import type { IngestionOptions } from '../../routes/ingestion/index.js'
import { signBody } from '../../signing/datafly/body-signature.js'
import { listed } from '../../conformance/event-sink/fixtures.js'
import { backend } from './backend.js'
import { makeSource } from './source.js'
import type { MadeSource } from './source.js'

type Headers = Record<string, string | string[]>

export interface Gateway extends MadeSource {
  app: FastifyInstance
  store: TokenStore
  sink: ReadableEventSink
  /** Posts a body, JSON unless it is a text or bytes already, with the key as a Bearer token. */
  post(url: string, body: unknown, headers?: Headers): Promise<LightMyRequestResponse>
  /** The same, signed. */
  signed(url: string, body: unknown, headers?: Headers): Promise<LightMyRequestResponse>
  /** What is stored, oldest first. */
  accepted(): Promise<AcceptedEvent[]>
  /** The same, as it is read back. */
  stored(): Promise<Array<Record<string, unknown>>>
}

export interface GatewayOptions {
  ingestion?: IngestionOptions
  source?: Partial<NewSource>
  server?: FastifyServerOptions
  store?: TokenStore
  sink?: ReadableEventSink
  /** Called before the suite is registered. */
  before?: (app: FastifyInstance) => unknown
}

/** The ingestion routes over an empty store and sink, with one source; without rate limits unless they are given. */
export async function gateway (t: Test, options: GatewayOptions = {}): Promise<Gateway> {
  const { store, sink } = { ...await backend(t), ...options }
  const app = Fastify(options.server ?? {})
  t.teardown(() => app.close())
  await options.before?.(app)
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink })
  await app.register(ingestion, { rateLimit: false, eventRate: false, ...options.ingestion })
  const made = await makeSource(store, options.source)

  async function post (url: string, body: unknown, headers: Headers = {}): Promise<LightMyRequestResponse> {
    return app.inject({
      method: 'POST',
      url,
      payload: textOf(body),
      headers: { authorization: `Bearer ${made.key}`, 'content-type': 'application/json', ...headers }
    })
  }

  async function accepted (): Promise<AcceptedEvent[]> {
    return (await listed(sink, 'acme', {}, 1_000_000)).reverse()
  }

  return {
    app,
    store,
    sink,
    ...made,
    post,
    signed: (url, body, headers = {}) =>
      post(url, textOf(body), { 'x-datafly-signature': signBody(made.secret, textOf(body)), ...headers }),
    accepted,
    stored: async () => (await accepted()).map(viewEvent)
  }
}

export function codeOf (response: LightMyRequestResponse): unknown {
  return response.json().error?.code
}

function textOf (body: unknown): string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
}
