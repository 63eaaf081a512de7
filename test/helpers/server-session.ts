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
export async function logIn ({ origin }: ServerProcess, password: string, email = 'admin@example.com'): Promise<string> {
  const answer = await fetch(`${origin}/v1/admin/auth/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password })
  })
  if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`)
  return (await answer.json() as { access_token: string }).access_token
}

/** How often each messageId is stored. */
export async function storedIds ({ origin }: ServerProcess, accessToken: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let cursor = ''
  for (;;) {
    const answer = await fetch(`${origin}/v1/admin/events?limit=100${cursor}`, { headers: { authorization: `Bearer ${accessToken}` } })
    if (!answer.ok) throw new Error(`events: ${answer.status} ${await answer.text()}`)
    const page = await answer.json() as { data: Array<{ messageId: string }>, next_cursor: string | null }
    for (const { messageId } of page.data) counts.set(messageId, (counts.get(messageId) ?? 0) + 1)
    if (page.next_cursor === null) return counts
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`
  }
}
