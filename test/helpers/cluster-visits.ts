import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

export interface Visits {
  /** How many were answered as they should be. */
  succeeded(): number
  /** Each failure: what was asked, and what came instead. */
  failures: string[]
  /** The ids of the events that were answered with 200. */
  acknowledged: string[]
  /** Sends no more and waits for what is under way. */
  stop(): Promise<void>
}

const TICK = 10

/**
 * Sends requests at a steady rate however slowly they are answered, none of them twice: events, health and admin
 * reads in turn.
 */
export function visit (
  origin: string,
  { pipelineKey, token, perSecond }: { pipelineKey: string, token: string, perSecond: number }
): Visits {
  const agent = new Agent({ connections: 32, pipelining: 1 })
  const acknowledged: string[] = []
  const failures: string[] = []
  const state = { going: true, sent: 0, succeeded: 0 }
  const underWay = new Set<Promise<void>>()
  const start = performance.now()
  const sender = keepPace()

  async function keepPace (): Promise<void> {
    for (; state.going; await sleep(TICK)) {
      for (const due = (performance.now() - start) * perSecond / 1_000; state.sent < due; state.sent++) {
        const visit = [event, () => get('/healthz'), () => get('/v1/admin/sources', token)][state.sent % 3] as () =>
        Promise<void>
        const promise = visit().finally(() => underWay.delete(promise))
        underWay.add(promise)
      }
    }
  }

  async function event (): Promise<void> {
    const messageId = randomUUID()
    if (await ask('/v1/t', pipelineKey, JSON.stringify({ event: 'Visited', userId: 'u', messageId }))) {
      acknowledged.push(messageId)
    }
  }

  async function get (path: string, bearer?: string): Promise<void> {
    await ask(path, bearer)
  }

  async function ask (path: string, bearer?: string, body?: string): Promise<boolean> {
    const began = Math.round(performance.now() - start)
    try {
      const reply = await request(`${origin}${path}`, {
        dispatcher: agent,
        headers: {
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' })
        },
        ...(body === undefined ? {} : { method: 'POST', body })
      })
      const text = await reply.body.text()
      if (reply.statusCode === 200) state.succeeded++
      else failures.push(`${began} ms: ${path}: ${reply.statusCode} ${text.slice(0, 100)}`)
      return reply.statusCode === 200
    } catch (error) {
      failures.push(`${began} ms: ${path}: ${String(error)}`)
      return false
    }
  }

  async function stop (): Promise<void> {
    state.going = false
    await sender
    await Promise.all(underWay)
    await agent.close()
  }
  return { succeeded: () => state.succeeded, failures, acknowledged, stop }
}
