import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { Agent, request } from 'undici'

/** One request: a single event, or a batch. */
export interface Sending {
  path: '/v1/t' | '/v1/batch'
  /** The messageIds in it. */
  ids: string[]
  body: string
  /** When it was first sent, epoch milliseconds. */
  since: number
}

export interface EventLoad {
  /** The ids that were answered with 200, in that order. */
  acknowledged: string[]
  /** The ids that were sent. */
  sent: string[]
  /** What `stop` left without a 200. */
  unacknowledged: Sending[]
  /** How often each other status was answered. */
  statuses: Map<number, number>
  /** Sends no more and waits for what is under way. */
  stop(): Promise<void>
}

export interface LoadOptions {
  /** Default: 16. */
  connections?: number
  /** How many of them send batches of 20 to 100 events, every second one gzipped. Default: none. */
  batching?: number
  /** What to send first, as it was. */
  again?: readonly Sending[]
}

const PAUSE = 20

/**
 * Sends events without pause on some connections, repeats what is not answered with 200 as it was, and remembers what
 * was acknowledged.
 */
export function sendEvents (
  origin: string,
  pipelineKey: string,
  { connections = 16, batching = 0, again = [] }: LoadOptions = {}
): EventLoad {
  const agent = new Agent({ connections, pipelining: 1 })
  const load: EventLoad = { acknowledged: [], sent: [], unacknowledged: [], statuses: new Map(), stop }
  const repeats = [...again]
  const state = { going: true }
  const senders = Array.from({ length: connections }, (_, index) => sender(index < batching ? batch : single))

  async function sender (make: () => Sending): Promise<void> {
    while (state.going) {
      const sending = repeats.shift() ?? make()
      load.sent.push(...sending.ids)
      let done = false
      while (!done && state.going) {
        done = await deliver(sending)
        if (!done) await sleep(PAUSE)
      }
      if (done) load.acknowledged.push(...sending.ids)
      else load.unacknowledged.push(sending)
    }
  }

  async function deliver ({ path, ids, body }: Sending): Promise<boolean> {
    const zipped = ids.length > 1 && ids.length % 2 === 0
    try {
      const reply = await request(`${origin}${path}`, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${pipelineKey}`,
          ...(zipped ? { 'content-encoding': 'gzip' } : {})
        },
        body: zipped ? gzipSync(body) : body
      })
      const text = await reply.body.text()
      if (
        reply.statusCode === 200 &&
        text === (path === '/v1/t' ? '{"success":true}' : `{"success":true,"accepted":${ids.length}}`)
      ) return true
      load.statuses.set(reply.statusCode, (load.statuses.get(reply.statusCode) ?? 0) + 1)
    } catch {} // The connection was lost, or nobody listens.
    return false
  }

  async function stop (): Promise<void> {
    state.going = false
    await Promise.all(senders)
    load.unacknowledged.push(...repeats.splice(0))
    await agent.destroy()
  }
  return load
}

function single (): Sending {
  const messageId = crypto.randomUUID()
  return { path: '/v1/t', ids: [messageId], body: JSON.stringify(event(messageId)), since: Date.now() }
}

function batch (): Sending {
  const ids = Array.from({ length: 20 + Math.floor(Math.random() * 81) }, () => crypto.randomUUID())
  return {
    path: '/v1/batch',
    ids,
    body: JSON.stringify({ batch: ids.map((id) => ({ type: 'track', ...event(id) })) }),
    since: Date.now()
  }
}

function event (messageId: string): object {
  return { event: 'Load', userId: 'u', messageId, properties: { text: 'x'.repeat(200) } }
}
