import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'

import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { anEvent } from '../../conformance/event-sink/index.js'
import type { LiveGateway } from './live-gateway.js'

/** The last line of an export as NDJSON. */
export interface ExportEnd {
  complete: boolean
  count: number
  cursor: string | null
  reason?: string
}

/** An export as NDJSON. */
export interface ExportedLines {
  events: Array<Record<string, unknown> & { id: string, messageId: string }>
  end: ExportEnd | undefined
}

/** Writes events of the organisation `acme`, a second apart; the newest is the last. */
export async function storeEvents (
  { app }: LiveGateway,
  count: number,
  fields: (n: number) => Partial<AcceptedEvent> = () => ({})
): Promise<AcceptedEvent[]> {
  const events = Array.from({ length: count }, (_, n) =>
    anEvent({ orgId: 'acme', messageId: `m${n}`, receivedAt: Date.UTC(2026, 0, 15) + n * 1_000, ...fields(n) }))
  for (let at = 0; at < count; at += 1_000) await app.eventSink.write(events.slice(at, at + 1_000))
  return events
}

export function exportEvents (
  { origin, owner }: LiveGateway,
  query = '',
  headers: Record<string, string> = {},
  token = owner.token
): Promise<Response> {
  return fetch(`${origin}/v1/admin/events/export${query}`, { headers: { authorization: `Bearer ${token}`, ...headers } })
}

/** Opens an export and leaves the reading of its body to the test. */
export function openExport (
  { origin, owner }: LiveGateway,
  query = '',
  token = owner.token,
  path = '/v1/admin/events/export'
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    get(`${origin}${path}${query}`, { agent: false, headers }, resolve).on('error', reject)
  })
}

/** Reads an export to its end; `null` if its connection was cut. */
export async function textOf (response: IncomingMessage): Promise<string | null> {
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return await once(response, 'end').then(() => text, () => null)
}

/** Reads the complete lines of NDJSON. */
export function linesOf (text: string): ExportedLines {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1).map((line) =>
    JSON.parse(line) as { id?: string, export?: ExportEnd })
  return {
    events: lines.filter(({ id }) => id !== undefined) as ExportedLines['events'],
    end: lines.findLast(({ id }) => id === undefined)?.export
  }
}
