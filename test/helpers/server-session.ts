import type { ServerProcess } from './server-process.js'

/** What the first start printed. */
export interface Printed {
  password: string
  pipelineKey: string
}

export function printedBy (server: ServerProcess): Printed {
  const find = (label: string) => new RegExp(`^ {2}${label} +(\\S+)$`, 'm').exec(server.stdout())?.[1] ?? ''
  return { password: find('Password'), pipelineKey: find('Pipeline key') }
}

/** The access token of the administrator. */
export async function logIn (
  { origin }: ServerProcess,
  password: string,
  email = 'admin@example.com'
): Promise<string> {
  const answer = await fetch(`${origin}/v1/admin/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password })
  })
  if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`)
  return (await answer.json() as { access_token: string }).access_token
}

/** How often each messageId is stored, of all events or of those received since then. */
export async function storedIds (
  server: Pick<ServerProcess, 'origin'>,
  accessToken: string,
  since?: Date
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const { messageId } of storedEvents(server, accessToken, since)) {
    counts.set(messageId, (counts.get(messageId) ?? 0) + 1)
  }
  return counts
}

type StoredEvent = Record<string, unknown> & { messageId: string }

/** The stored events, newest first. */
export async function * storedEvents (
  { origin }: Pick<ServerProcess, 'origin'>,
  accessToken: string,
  since?: Date
): AsyncGenerator<StoredEvent> {
  const url = new URL('/v1/admin/events?limit=100', origin)
  if (since !== undefined) url.searchParams.set('from', since.toISOString())
  for (;;) {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })
    if (!answer.ok) throw new Error(`events: ${answer.status} ${await answer.text()}`)
    const page = await answer.json() as { data: StoredEvent[], next_cursor: string | null }
    yield * page.data
    if (page.next_cursor === null) return
    url.searchParams.set('cursor', page.next_cursor)
  }
}
