import type { FastifyInstance, FastifyRequest } from 'fastify'

import databrainProxy from '../routes/databrain/proxy/index.js'
import embedAuthorize from '../routes/embed-authorize/index.js'
import guestToken from '../routes/databrain/guest-token/index.js'
import type { GuestTokenGrant, RenewalOptions } from '../routes/databrain/guest-token/index.js'
import widgetToken from '../routes/widget-token/index.js'
import type { EmbedGuards } from './abuse-guards.js'
import type { EmbedUserOf } from './embed-user.js'
import { GUEST_TOKEN_PATH, PROXY_PATH } from './products.js'
import type { Products } from './products.js'

export interface EmbedRoutesOptions {
  products: Products
  proxyKeys: readonly string[]
  /** The sites whose pages may call. */
  origins: readonly string[]
  /** Calls a minute of one address, each route; 0: no limit. */
  perMinute: number
  asked: EmbedGuards
  userOf: EmbedUserOf
  /** How an open page gets its next `proxyAuthUrl`; `null`: not at all. */
  renewal: RenewalOptions | null
}

/** The embedding routes, those of them whose product is on. A user reference counts on all of them, and a bad one is refused. */
export async function embedRoutes (app: FastifyInstance, options: EmbedRoutesOptions): Promise<void> {
  const { products, proxyKeys, origins, perMinute, asked, userOf, renewal } = options
  const rateLimit = perMinute === 0 ? false : { max: perMinute, timeWindow: 60_000 }
  const guards = { userReference: 'optional', ...asked.all } as const
  const cors = { origins }
  const { databrain, boldbi, dxfeed } = products

  if (databrain !== null) {
    const { apiKey, apiUrl, upstreamUrl, dataApp } = databrain
    const shared = { proxyKeys, apiKey, dataAppName: dataApp, ...apiUrl === undefined ? {} : { apiUrl }, authorize: clientOf }
    await app.register(guestToken, {
      ...shared,
      path: GUEST_TOKEN_PATH,
      errorStatus: databrain.errorStatus,
      // The callers are DataBrain's few servers: many users share an address.
      rateLimit: rateLimit && { ...rateLimit, max: perMinute * 10 },
      userRateLimit: rateLimit,
      ...renewal === null ? {} : { renewal: { ...renewal, rateLimit, guards: { ...asked.all, ...asked.pages } } },
      guards
    })
    await app.register(databrainProxy, {
      ...shared,
      ...upstreamUrl === undefined ? {} : { upstreamUrl },
      prefix: PROXY_PATH,
      cors,
      // A dashboard makes dozens of calls.
      rateLimit: rateLimit && { ...rateLimit, max: perMinute * 10 },
      userRateLimit: rateLimit && { ...rateLimit, max: perMinute * 10 },
      guards
    })
  }

  if (boldbi !== null) {
    await app.register(embedAuthorize, {
      servers: [{ apiUrl: boldbi.apiUrl, embedSecret: boldbi.embedSecret }],
      rateLimit,
      cors,
      guards: { ...guards, ...asked.pages },
      authorize (request) {
        const user = userOf(request)
        if (user === null) return null
        const { id, ...since } = user
        return id.includes('@') ? { email: id, ...since } : { username: id, ...since }
      }
    })
  }
  if (dxfeed !== null) {
    const { secret, issuer, session, user: issuedUser, filters, timeUnit, minutes } = dxfeed
    await app.register(widgetToken, {
      secret,
      issuer,
      session,
      user: issuedUser,
      filters,
      timeUnit,
      minutes,
      rateLimit,
      userRateLimit: rateLimit,
      cors,
      guards: { ...guards, ...asked.pages, ...asked.widgetToken },
      authorize (request) {
        const user = userOf(request)
        if (user === null) return null
        const { id, ...since } = user
        return { user: id, ...since }
      }
    })
  }

  function clientOf (request: FastifyRequest): GuestTokenGrant | null {
    const user = userOf(request)
    if (user === null) return null
    const { id, ...since } = user
    return { clientId: id, ...since }
  }
}
