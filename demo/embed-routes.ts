import type { FastifyInstance, FastifyRequest } from 'fastify'

import embedAuthorize from '../routes/embed-authorize.js'
import guestToken from '../routes/guest-token.js'
import widgetToken from '../routes/widget-token.js'
import { GUEST_TOKEN_PATH } from './products.js'
import type { Products } from './products.js'

export interface EmbedRoutesOptions {
  products: Products
  proxyKeys: readonly string[]
  /** The sites whose pages may call. */
  origins: readonly string[]
  /** Calls a minute of one address, each route; 0: no limit. */
  perMinute: number
  /** Who the end user is, `null` for nobody. */
  userOf (request: FastifyRequest): string | null
}

/** The three embedding routes, those of them whose product is on. A user reference counts on all of them, and a bad one is refused. */
export async function embedRoutes (app: FastifyInstance, { products, proxyKeys, origins, perMinute, userOf }: EmbedRoutesOptions): Promise<void> {
  const rateLimit = perMinute === 0 ? false : { max: perMinute, timeWindow: 60_000 }
  const guards = { userReference: 'optional' } as const
  const cors = { origins }
  const { databrain, boldbi, dxfeed } = products

  if (databrain !== null) {
    await app.register(guestToken, {
      path: GUEST_TOKEN_PATH,
      proxyKeys,
      apiKey: databrain.apiKey,
      ...(databrain.apiUrl === undefined ? {} : { apiUrl: databrain.apiUrl }),
      dataAppName: databrain.dataApp,
      errorStatus: databrain.errorStatus,
      rateLimit,
      // The callers are DataBrain's few servers: many users share an address.
      addressRateLimit: rateLimit && { ...rateLimit, max: perMinute * 10 },
      guards,
      authorize (request) {
        const clientId = userOf(request)
        return clientId === null ? null : { clientId }
      }
    })
  }

  if (boldbi !== null) {
    await app.register(embedAuthorize, {
      servers: [{ apiUrl: boldbi.apiUrl, embedSecret: boldbi.embedSecret }],
      rateLimit,
      cors,
      guards,
      authorize (request) {
        const user = userOf(request)
        if (user === null) return null
        return user.includes('@') ? { email: user } : { username: user }
      }
    })
  }
  if (dxfeed !== null) {
    const { secret, issuer, session, filters, timeUnit, minutes } = dxfeed
    const signing = { secret, issuer, session, filters, timeUnit, minutes }
    await app.register(widgetToken, { ...signing, rateLimit, userRateLimit: rateLimit, cors, guards, resolveUser: userOf })
  }
}
