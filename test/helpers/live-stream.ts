import type { Test } from 'tap'

export interface StreamEvent {
  id?: string
  event: string
  data: Record<string, unknown>
}

export interface LiveStream {
  response: Response
  /** All that came, comments included. */
  text(): string
  events(): StreamEvent[]
  /** Resolves with the first event of that name for which `matches` holds; rejects if none comes. */
  until(event: string, matches?: (data: Record<string, unknown>) => boolean): Promise<StreamEvent>
  /** Resolves when the text matches. */
  untilText(pattern: RegExp): Promise<void>
  /** Resolves when the server ends the stream, `'ended'` in order or `'cut'`. */
  over: Promise<{ how: 'ended' | 'cut' }>
  close(): void
}

const PATIENCE = 60_000

/** Watches `/v1/admin/events/live` as a page does, by fetch. */
export async function openStream (
  t: Test,
  origin: string,
  token: string,
  query = '',
  headers: Record<string, string> = {}
): Promise<LiveStream> {
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const response = await fetch(`${origin}/v1/admin/events/live${query}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal
  })
  let text = ''
  const waiting: Array<() => void> = []
  const over = read().then(() => 'ended' as const, () => 'cut' as const).then((how) => ({ how }))

  async function read (): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      for (const wake of waiting.splice(0)) wake()
    }
  }

  async function find<Found> (look: () => Found | undefined, what: string): Promise<Found> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      for (const wake of waiting.splice(0)) wake()
    }, PATIENCE)
    try {
      for (;;) {
        const found = look()
        if (found !== undefined) return found
        if (late) throw new Error(`no ${what} in ${text.slice(-2_000)}`)
        await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), over.then(() => {
          late = true
        })])
      }
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    response,
    text: () => text,
    events: () => parse(text),
    until: (event, matches = () => true) =>
      find(() => parse(text).find((item) => item.event === event && matches(item.data)), event),
    untilText: async (pattern) => {
      await find(() => pattern.test(text) || undefined, String(pattern))
    },
    over,
    close: () => stop.abort()
  }
}

function parse (text: string): StreamEvent[] {
  return text.split('\n\n').slice(0, -1).flatMap((block) => {
    const fields = new Map(
      block.split('\n').map((
        line
      ): [string, string] => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)])
    )
    const [id, event, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
    return event === undefined || data === undefined
      ? []
      : [{ ...id === undefined ? {} : { id }, event, data: JSON.parse(data) as Record<string, unknown> }]
  })
}
