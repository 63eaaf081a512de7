import type { LightMyRequestResponse } from 'fastify'

import type { Console } from './console.js'
import { until } from './until.js'

/** A source with domains, and functions that send it events. */
export interface SeededSource {
  id: string
  /** Sends an event as a page of an origin does; without an origin as a server. */
  send (event: object, origin?: string): Promise<LightMyRequestResponse>
  /** Sends a request to the admin API as the owner. */
  admin<Reply> (method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object): Promise<Reply>
}

export const SHOP = 'https://www.example.com'
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Creates a source that accepts pages of www.example.com. */
export async function seedSource (parts: Console, settings: object = {}): Promise<SeededSource> {
  const { app } = parts
  const authorization = `Bearer ${await parts.ownerToken()}`

  async function admin<Reply> (method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object): Promise<Reply> {
    const body = payload === undefined ? {} : { payload }
    const reply = await app.inject({ method, url: `/v1/admin/${path}`, headers: { authorization }, ...body })
    if (reply.statusCode >= 300) throw new Error(`${path}: ${reply.statusCode} ${reply.body}`)
    return reply.json()
  }

  const created = { name: 'Web shop', domains: ['www.example.com'], keep_refused: true, ...settings }
  const { id, pipeline_key: key } = await admin<{ id: string, pipeline_key: string }>('POST', 'sources', created)
  return {
    id,
    admin,
    send: async (event, origin) => await app.inject({
      method: 'POST',
      url: '/v1/batch',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'user-agent': AGENT,
        ...origin === undefined ? {} : { origin }
      },
      payload: { batch: [event] }
    })
  }
}

const PRODUCTS = ['Trail shoes', 'Rain jacket', 'Water bottle', 'Head torch', 'Wool socks', 'Map of the Alps']

/** Sends events of a shop, and some that are refused. */
export async function sendShopEvents ({ send }: SeededSource): Promise<void> {
  for (const event of shopEvents()) await send(event, SHOP)
  for (const [at, product] of PRODUCTS.entries()) {
    const origin = at % 2 === 0 ? 'https://shop.example.com' : 'https://staging.example.com'
    await send(viewed(product, at), origin)
  }
  await send({ type: 'track', userId: 'usr_0931', properties: { total: 12 } }, SHOP)
  await send({ type: 'track', event: 'Order Completed', userId: 'usr_0931', properties: 'none' })
}

function shopEvents (): object[] {
  const visitors = ['usr_4821', 'usr_0931', 'usr_7754', undefined]
  return visitors.flatMap((userId, visitor) => [
    { type: 'page', name: 'Home', ...who(userId, visitor), ...page('/') },
    ...PRODUCTS.slice(visitor, visitor + 2).map((product, at) => ({ ...viewed(product, at), ...who(userId, visitor) })),
    ...userId === undefined
      ? []
      : [
          { type: 'identify', ...who(userId, visitor), traits: { plan: 'club', since: '2024-03-02' } },
          {
            type: 'track',
            event: 'Order Completed',
            ...who(userId, visitor),
            ...page('/checkout/done'),
            properties: {
              orderId: `A-10${visitor}73`,
              total: 129.9 + visitor,
              currency: 'EUR',
              coupon: null,
              gift: false,
              products: PRODUCTS.slice(visitor, visitor + 2).map((name) => ({ name, quantity: 1, price: 49.95 }))
            }
          }
        ]
  ])
}

function viewed (product: string, at: number): object {
  const properties = { product, price: 49.95 + at, currency: 'EUR' }
  return { type: 'track', event: 'Product Viewed', anonymousId: `anon-7f3c${at}`, ...page('/products'), properties }
}

function who (userId: string | undefined, visitor: number): object {
  return { anonymousId: `anon-51be${visitor}`, ...userId === undefined ? {} : { userId } }
}

function page (path: string): object {
  return { context: { page: { url: `${SHOP}${path}`, path, title: 'Example shop' }, locale: 'en-GB' } }
}

export interface KeptEvent {
  id: string
  code: string
  origin: string | null
}

/** Waits until a number of refused events of the source is kept: they are written in the background. */
export async function keptEvents ({ id, admin }: SeededSource, count: number): Promise<KeptEvent[]> {
  let kept: KeptEvent[] = []
  await until(`${count} refused events are kept`, async () => {
    kept = (await admin<{ data: KeptEvent[] }>('GET', `refused-events?source_id=${id}&limit=100`)).data
    return kept.length >= count
  })
  return kept
}
