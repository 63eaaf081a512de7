import type { Console } from './console.js'

/** Sends requests of the owner to the admin API of a console. */
export async function ownerCaller ({ app, ownerToken }: Pick<Console, 'app' | 'ownerToken'>) {
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  return async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) => {
    const reply = await app.inject({ method, url: `/v1/admin${path}`, headers, ...payload === undefined ? {} : { payload } })
    if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode} ${reply.body}`)
    return reply.body === '' ? null : reply.json()
  }
}

/** Sends an event with a key, as a page of `origin` does, or as a server. Resolves with the status. */
export async function sendEvent (
  { app }: Pick<Console, 'app'>,
  key: string,
  event: object,
  origin?: string
): Promise<number> {
  const headers = {
    authorization: `Bearer ${key}`, 'content-type': 'application/json', ...origin === undefined ? {} : { origin }
  }
  const { statusCode } = await app.inject({ method: 'POST', url: '/v1/track', headers, payload: { userId: 'ann', ...event } })
  return statusCode
}

export interface SeededSources {
  shop: { id: string, pipeline_key: string }
  /** Has no event, no key and no webhook. */
  fresh: { id: string, pipeline_key: string }
  webhook: { id: string }
}

/** Stores what the pages of sources show: several sources, keys, a webhook and some events. */
export async function seedSources (parts: Console): Promise<SeededSources> {
  const call = await ownerCaller(parts)
  const create = async (body: object) => await call('POST', '/sources', body)
  await create({ name: 'Orders service', domains: [] })
  await create({ name: 'Staging', environment: 'test', domains: ['http://localhost:3000', '*.staging.example.com'] })
  const blog = await create({ name: 'Blog', domains: ['blog.example.com'] })
  await call('PATCH', `/sources/${blog.id}`, { enabled: false })
  const fresh = await create({ name: 'Mobile app', domains: ['capacitor://localhost'] })
  const shop = await create({
    name: 'Shop', domains: ['shop.example.com', '*.shop.example.com'], daily_quota: 10, monthly_quota: 5_000
  })
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const partner = await call('POST', `/sources/${shop.id}/keys`, { name: 'Partner feed', domains: [] })
  await call('POST', `/sources/${shop.id}/keys`, { name: 'Campaign', domains: ['sale.example.com'], expires_at: day(5) })
  const old = await call('POST', `/sources/${shop.id}/keys`, { name: 'Old tag manager', expires_at: day(200) })
  await call('PATCH', `/sources/${shop.id}/keys/${old.id}`, { enabled: false })
  await sendEvent(parts, partner.pipeline_key, { event: 'Stock Updated' })
  await call('POST', `/sources/${shop.id}/keys/${partner.id}/rotate`, { overlap_seconds: 86_400 })
  for (let sent = 0; sent < 8; sent++) {
    const context = { page: { url: 'https://shop.example.com/cart' } }
    await sendEvent(parts, shop.pipeline_key, { event: 'Order Paid', properties: { total: 59.9 }, context }, 'https://shop.example.com')
  }
  await sendEvent(parts, shop.pipeline_key, { event: 'Order Paid' }, 'https://other.example')
  const webhook = await call('POST', `/sources/${shop.id}/webhooks`, {
    provider: 'stripe', name: 'Payments', secret: 'whsec_0123456789abcdefghij', mapping: { userId: '$.data.object.customer' }
  })
  await call('POST', `/sources/${shop.id}/webhooks`, { provider: 'standard', name: 'Support desk', enabled: false })
  return { shop, fresh, webhook }
}
