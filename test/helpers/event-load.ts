import { Agent, request } from 'undici'

export interface EventLoad {
  /** The ids that were answered with 200, in that order. */
  acknowledged: string[]
  /** The ids that were sent. */
  sent: string[]
  /** How often each other status was answered. */
  statuses: Map<number, number>
  /** Sends no more and waits for what is under way. */
  stop (): Promise<void>
}

/** Sends single events without pause on some connections, and remembers which were acknowledged. Lost connections end their sender's turn, not the load. */
export function sendEvents (origin: string, pipelineKey: string, connections = 16): EventLoad {
  const agent = new Agent({ connections, pipelining: 1 })
  const load: EventLoad = { acknowledged: [], sent: [], statuses: new Map(), stop }
  const state = { going: true }

  async function sender () {
    while (state.going) {
      const messageId = crypto.randomUUID()
      load.sent.push(messageId)
      try {
        const { statusCode, body } = await request(`${origin}/v1/t`, {
          method: 'POST',
          dispatcher: agent,
          headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}` },
          body: JSON.stringify({ event: 'Load', userId: 'u', messageId, properties: { text: 'x'.repeat(200) } })
        })
        const text = await body.text()
        if (statusCode === 200 && text === '{"success":true}') load.acknowledged.push(messageId)
        else load.statuses.set(statusCode, (load.statuses.get(statusCode) ?? 0) + 1)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  const senders = Array.from({ length: connections }, sender)

  async function stop () {
    state.going = false
    await Promise.all(senders)
    await agent.destroy()
  }
  return load
}
