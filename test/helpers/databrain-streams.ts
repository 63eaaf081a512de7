import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { PREFIX } from './databrain-proxy.js'

export interface OpenCall {
  request: ClientRequest
  /** Resolves with the head of the answer. */
  answer: Promise<IncomingMessage>
}

/** Begins a call to the proxy whose body is written bit by bit. */
export function openCall (origin: string, headers: Record<string, string>, method = 'POST'): OpenCall {
  const request = httpRequest(`${origin}${PREFIX}/stream`, { method, headers, agent: false })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject)
  })
  // Whoever ends the call by force need not wait for its answer.
  answer.catch(() => {})
  return { request, answer }
}

/** What is left of an answer, and whether it came to its end. */
export async function readAll (answer: IncomingMessage): Promise<{ length: number, text: string, whole: boolean }> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer)
  } catch {}
  const bytes = Buffer.concat(chunks)
  return { length: bytes.length, text: bytes.toString('latin1'), whole: answer.complete }
}

/** Waits until something holds, at most 20 s: the machine may be busy. Gives whether it does. */
export async function comesTrue (holds: () => boolean): Promise<boolean> {
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(10)) {
    if (holds()) return true
  }
  return holds()
}
