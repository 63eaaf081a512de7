import { sendSigned } from './client.ts'
import { errorOf } from './errors.ts'

/** A message of the live view. */
export interface LiveMessage {
  /** The id of the last received event, sent as `Last-Event-ID` so that the server continues after it. */
  id: string | undefined
  event: string
  data: unknown
}

interface Following {
  query: Readonly<Record<string, string | undefined>>
  lastId?: string | undefined
  signal: AbortSignal
  /** Called when the server has accepted the connection. */
  onOpen?: () => void
  take (message: LiveMessage): void
}

/**
 * Reads the live view of events. An `EventSource` cannot send the access token, so this reads the stream itself.
 * Resolves when the stream ends, as it does when the access token expires. Throws `ApiError`.
 */
export async function followEvents ({ query, lastId, signal, onOpen, take }: Following): Promise<void> {
  const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId }
  const response = await sendSigned({ method: 'get', path: 'events/live', query, headers, signal })
  if (!response.ok) throw await errorOf(response)
  if (response.body === null) return
  onOpen?.()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const messages = (rest + value).split('\n\n')
    rest = messages.pop() ?? ''
    for (const message of messages) {
      const event = field(message, 'event')
      const data = field(message, 'data')
      // Comments show that the connection lives.
      if (event !== undefined && data !== undefined) take({ id: field(message, 'id'), event, data: JSON.parse(data) })
    }
  }
}

function field (message: string, name: string): string | undefined {
  return message.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
}
