import t from 'tap'

import { packagesLoadedBy } from '../../../helpers/loaded-modules.js'

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

t.test('a host that registers only the guest token loads no database, JWT, Redis or password hashing ' +
  'package', async (t) => {
  const packages = await packagesLoadedBy(`
    const { default: Fastify } = await import(${url('../../../../node_modules/fastify/fastify.js')})
    const { default: guestToken } = await import(${url('../../../../routes/databrain/guest-token/index.ts')})
    const app = Fastify()
    await app.register(guestToken, {
      proxyKeys: ['pr0xy-key-0123456789-abcdefghijklmnop'], apiKey: 'key', dataAppName: 'sales', authorize: () => null
    })
    const { statusCode } = await app.inject('/api/databrain/guest-token')
    if (statusCode !== 401) throw new Error('answered ' + statusCode)
    await app.close()
  `)
  for (const name of ['fastify', '@fastify/rate-limit', 'lru-cache']) {
    t.ok(packages.has(name), `${name} is seen`)
  }
  for (
    const name of [
      '@fastify/jwt',
      'fast-jwt',
      'kysely',
      '@electric-sql/pglite',
      'pg',
      'undici',
      'ioredis',
      '@node-rs/argon2',
      'nats',
      'openid-client',
      '@node-saml/node-saml',
      'prom-client'
    ]
  ) t.notOk(packages.has(name), `${name} is not loaded`)
})

t.test('importing the widget token loads no database, JWT, Redis or password hashing package', async (t) => {
  const packages = await packagesLoadedBy(`await import(${url('../../../../routes/widget-token/index.ts')})`)
  t.ok(packages.has('@fastify/cors'))
  for (const name of ['@fastify/jwt', 'kysely', '@electric-sql/pglite', 'pg', 'ioredis', '@node-rs/argon2', 'undici']) {
    t.notOk(packages.has(name), `${name} is not loaded`)
  }
})

t.test('the list of loaded packages contains a database package when migrations are imported', async (t) => {
  const packages = await packagesLoadedBy(`await import(${url('../../../../lib/database/migrations/index.ts')})`)
  t.ok(packages.has('kysely'))
})
