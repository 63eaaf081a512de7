import type { AddressInfo } from 'node:net'

import type { Test } from 'tap'

import eventSink from '../../plugins/event-sink/index.js'
import type { EventSink } from '../../contracts/event-sink.js'
import type { NewSource } from '../../contracts/token-store/index.js'
import ingestion from '../../routes/ingestion/index.js'
import { adminApp } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'
import { caller } from './admin-caller.js'
import type { Caller } from './admin-caller.js'
import { openStream } from './live-stream.js'
import type { LiveStream } from './live-stream.js'
import { makeSource } from './source.js'
import type { MadeSource } from './source.js'

export interface LiveGateway extends AdminApp {
  origin: string
  /** An owner of the organisation `acme`. */
  owner: Caller
  source(settings?: Partial<NewSource>): Promise<MadeSource>
  watch(query?: string, headers?: Record<string, string>, token?: string): Promise<LiveStream>
  send(made: MadeSource, path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
}

export type LiveGatewayOptions = AdminAppOptions & { sink?: EventSink }

/** Ingestion and the admin API on one listening app, with a session of an owner. */
export async function liveGateway (
  t: Test,
  { sink, before, ...options }: LiveGatewayOptions = {}
): Promise<LiveGateway> {
  const admin = await adminApp(t, {
    ...options,
    before: async (app, own) => {
      await app.register(eventSink, { sink: sink ?? own })
      await before?.(app, own)
    }
  })
  await admin.app.register(ingestion, { rateLimit: false, eventRate: false })
  await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const origin = `http://127.0.0.1:${(admin.app.server.address() as AddressInfo).port}`
  const owner = await caller(admin, 'owner', 'acme')
  return {
    ...admin,
    origin,
    owner,
    source: (settings) => makeSource(admin.store, settings),
    watch: (query, headers, token = owner.token) => openStream(t, origin, token, query, headers),
    send: ({ key }, path, body, headers) =>
      fetch(`${origin}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body)
      })
  }
}
