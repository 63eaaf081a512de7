'use strict'

// An internal API in CommonJS: guarded by keys that can be rotated, limited per key, with the suite's error format.
const Fastify = require('fastify')
const { errorEnvelope, proxyKey, rateLimit } = require('fastify-gatehouse')

/** @param {import('fastify').FastifyServerOptions} [options] */
async function build (options = {}, env = process.env) {
  const { API_KEYS = '', REQUESTS_PER_MINUTE = '60' } = env
  const app = Fastify(options)
  await app.register(errorEnvelope)
  // With `global: true` each route needs a key, the 404 handler included, unless the route says `proxyKey: false`.
  await app.register(proxyKey, { keys: API_KEYS.split(','), global: true })
  await app.register(rateLimit, { key: { max: Number(REQUESTS_PER_MINUTE), timeWindow: 60_000 }, global: true })

  app.get('/report', async (request) => ({ rows: [{ product: 'Apples', revenue: 4711 }], key: request.proxyKey?.id }))
  app.get('/healthz', { config: { gatehouse: { proxyKey: false, rateLimit: false } } }, async () => ({ ok: true }))
  return app
}

module.exports = { build }

if (require.main === module) {
  build({ logger: true })
    .then((app) => app.listen({ port: Number(process.env.PORT ?? 3000) }))
    .catch((error) => {
      console.error(error.message)
      process.exitCode = 1
    })
}
