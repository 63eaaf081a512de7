import { uuid } from './embeds.ts'
import { post } from './page.ts'
import type { PageData } from './page.ts'

interface Sending {
  page: PageData
  messageId: string
  count: number
}

interface Outcome {
  text: string
  good: boolean
}

/** One way to send an event. */
export interface Way {
  name: string
  title: string
  does: string
  button: string
  /** The server sends the event; only where the page offers attacks. */
  needsServer?: true
  snippet (key: string): string
  send (sending: Sending): Promise<Outcome>
}

type Collector = { track (event: string, properties: object, options: object): void }

const WRONG_KEY = 'dk_live_0000000000000000wrong'

export const WAYS: readonly [Way, ...Way[]] = [
  {
    name: 'key',
    title: 'Pipeline key',
    does: 'A page sends an event with the pipeline key, which is public.',
    button: 'Track “Button Clicked”',
    snippet: (key) => `await fetch('/v1/t', {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    authorization: 'Bearer ${key}'
  },
  body: JSON.stringify({ event: 'Button Clicked', properties: { count: 1 } })
})`,
    send: async ({ page, ...event }) => await sendByKey(page.pipelineKey ?? '', page, event)
  },
  {
    name: 'signature',
    title: 'Signature',
    needsServer: true,
    does: 'Your backend signs the body with the server secret. The secret never reaches the page: the demo server ' +
      'sends this event.',
    button: 'Send “Order Completed”',
    snippet: (key) => `import { parseServerSecret, signBody } from 'fastify-gatehouse/signing'

const body = JSON.stringify({ type: 'track', event: 'Order Completed' })
await fetch('https://events.example.com/v1/events', {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    authorization: 'Bearer ${key}',
    'x-datafly-signature': signBody(parseServerSecret(process.env.SERVER_SECRET), body)
  },
  body
})`,
    send: async ({ messageId, count }) => await sendByServer('signature', messageId, count)
  },
  {
    name: 'sdk',
    title: 'SDK snippet',
    does: 'The collector, a script of 5 KB, sends events in batches and sends them again after a failure.',
    button: 'Call _df.track()',
    snippet: (key) => `<script async src="/d.js" data-pipeline-key="${key}"></script>

_df.track('Button Clicked', { count: 1 })`,
    async send ({ page, messageId, count }) {
      const collector = await loadCollector(page.pipelineKey ?? '')
      collector.track('Button Clicked', { count }, { messageId })
      return { text: 'The collector sends the event within a second.', good: true }
    }
  },
  {
    name: 'pixel',
    title: 'Pixel',
    does: 'A mail or a tag manager loads an image. The key and the event are in its URL.',
    button: 'Load the pixel',
    snippet: (key) => `<img src="/v1/pixel/track?wk=${key}&e=Mail%20Opened&p.count=1"
  width="1" height="1" alt="">`,
    async send ({ page, messageId, count }) {
      const parameters = new URLSearchParams({
        wk: page.pipelineKey ?? '', e: 'Mail Opened', 'p.count': String(count), mid: messageId
      })
      const image = new Image(1, 1)
      image.src = `/v1/pixel/track?${parameters}`
      await image.decode()
      return { text: 'The image of 43 bytes was loaded.', good: true }
    }
  },
  {
    name: 'wrong',
    title: 'Wrong key',
    does: 'A page sends an event with a key that belongs to no source.',
    button: 'Send with the wrong key',
    snippet: () => `authorization: 'Bearer ${WRONG_KEY}'`,
    send: async ({ page, ...event }) => await sendByKey(WRONG_KEY, page, event)
  },
  {
    name: 'foreign',
    title: 'Foreign origin',
    needsServer: true,
    does: 'A page of https://shop.evil.example copies the public key and sends an event. The domain is not allowed ' +
      'for the source. The demo server sends this request.',
    button: 'Send from another site',
    snippet: (key) => `POST /v1/t
Origin: https://shop.evil.example
Authorization: Bearer ${key}`,
    send: async ({ messageId, count }) => await sendByServer('foreign', messageId, count)
  }
]

/** Returns the message id of an event of this session. */
export function messageIdOf (prefix: string, way: string): string {
  return `${prefix}-${way}-${uuid().slice(0, 8)}`
}

async function sendByKey (
  key: string,
  { user }: PageData,
  { messageId, count }: { messageId: string, count: number }
): Promise<Outcome> {
  const event = { event: 'Button Clicked', messageId, ...user === null ? {} : { userId: user }, properties: { count } }
  const response = await fetch('/v1/t', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(event)
  })
  return outcome(response.status, await response.json())
}

async function sendByServer (way: string, messageId: string, count: number): Promise<Outcome> {
  const { status, body } = await post('/demo/event', { way, messageId, count }) as { status: number, body: unknown }
  return outcome(status, body)
}

function outcome (status: number, body: unknown): Outcome {
  return { text: `${status} ${JSON.stringify(body)}`, good: status === 200 }
}

let collector: Promise<Collector> | undefined

function loadCollector (key: string): Promise<Collector> {
  collector ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = '/d.js'
    script.dataset['pipelineKey'] = key
    script.dataset['autoPage'] = 'false'
    script.onload = () => resolve((globalThis as unknown as { _df: Collector })._df)
    script.onerror = () => reject(new Error('The collector cannot be loaded.'))
    document.head.append(script)
  })
  return collector
}
