import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

export interface SteadyEvents {
  /** The ids that were answered with 200. */
  acknowledged: string[]
  /** What came instead. */
  failures: string[]
  /** Milliseconds within which this share of the requests was answered. */
  percentile(share: number): number
  /** Sends no more and waits for what is under way. */
  stop(): Promise<void>
}

const TICK = 10

/** Sends single events at a steady rate, however slowly they are answered. */
export function steadyEvents (origin: string, pipelineKey: string, perSecond: number): SteadyEvents {
  const agent = new Agent({ connections: 64, pipelining: 1 })
  const acknowledged: string[] = []
  const failures: string[] = []
  const times: number[] = []
  const underWay = new Set<Promise<void>>()
  const state = { going: true, sent: 0 }
  const start = performance.now()
  const sender = keepPace()

  async function keepPace (): Promise<void> {
    for (; state.going; await sleep(TICK)) {
      for (const due = (performance.now() - start) * perSecond / 1_000; state.sent < due; state.sent++) {
        const sending = send(randomUUID()).finally(() => underWay.delete(sending))
        underWay.add(sending)
      }
    }
  }

  async function send (messageId: string): Promise<void> {
    const since = performance.now()
    try {
      const reply = await request(`${origin}/v1/t`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}` },
        body: JSON.stringify({ event: 'Steady', userId: 'u', messageId })
      })
      const text = await reply.body.text()
      if (reply.statusCode === 200) acknowledged.push(messageId)
      else failures.push(`${reply.statusCode} ${text}`)
    } catch (error) {
      failures.push(String(error))
    }
    times.push(performance.now() - since)
  }

  return {
    acknowledged,
    failures,
    percentile: (share) =>
      times.sort((one, other) => one - other)[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN,
    async stop () {
      state.going = false
      await sender
      await Promise.all(underWay)
      await agent.close()
    }
  }
}
