// A host with @fastify/jwt and @fastify/cors of its own, beside routes of the suite that have other rules.
import { fileURLToPath } from 'node:url'

import cors from '@fastify/cors'
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { ingestion, tokenStore, widgetToken } from 'fastify-gatehouse'
import { SOURCE_DEFAULTS } from 'fastify-gatehouse/token-store'

/** @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}, env = process.env) {
  const { JWT_SECRET = '', APP_ORIGIN = 'https://app.example.com', SHOP_ORIGIN = 'https://shop.example.com' } = env
  const { DXFEED_SECRET = '', DXFEED_ISSUER = '', DXFEED_SESSION = '', PIPELINE_KEY = '', SERVER_SECRET = '' } = env
  if (JWT_SECRET.length < 32) throw new Error('JWT_SECRET must have at least 32 characters')
  const app = Fastify(options)

  // The host's own rules: the app's pages call the API with the host's tokens.
  await app.register(cors, { origin: [APP_ORIGIN], methods: ['GET', 'POST'] })
  await app.register(jwt, { secret: JWT_SECRET, sign: { expiresIn: '15m' } })
  app.get('/api/me', async (request) => {
    const { sub } = await userOf(request)
    return { id: sub }
  })

  // All routes of the suite share one store, so it is registered before them. Use a database in production.
  await app.register(tokenStore)

  // The app's pages also get widget tokens: `authorize` accepts the host's tokens.
  await app.register(widgetToken, {
    secret: DXFEED_SECRET,
    issuer: DXFEED_ISSUER,
    session: DXFEED_SESSION,
    cors: { origins: [APP_ORIGIN], allowedHeaders: ['authorization'] },
    async authorize (request) {
      const user = await userOf(request).catch(() => null)
      return user && { user: user.sub, issuedAt: user.iat * 1000 }
    }
  })

  // The shop's pages send events: each source has its own list of origins.
  await app.register(ingestion)
  await app.tokenStore.sources.create({
    ...SOURCE_DEFAULTS,
    orgId: 'default',
    name: 'Shop',
    domains: [SHOP_ORIGIN],
    pipelineKey: PIPELINE_KEY,
    serverSecret: SERVER_SECRET
  })
  return app
}

/**
 * The claims of the host's token; rejects without a valid one.
 *
 * @param {import('fastify').FastifyRequest} request
 * @returns {Promise<{ sub: string, iat: number }>}
 */
function userOf (request) {
  return request.jwtVerify()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  app.log.info(`A token to try: ${app.jwt.sign({ sub: 'ann' })}`)
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
}
