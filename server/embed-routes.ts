import type { FastifyInstance, FastifyRequest } from 'fastify'

import databrainProxy from '../routes/databrain/proxy/index.js'
import embedAuthorize from '../routes/embed-authorize/index.js'
import { namedUser } from '../routes/embed-authorize/identity-grant.js'
import guestToken from '../routes/databrain/guest-token/index.js'
import type { RenewalOptions } from '../routes/databrain/guest-token/index.js'
import widgetToken from '../routes/widget-token/index.js'
import type { EmbedGuards } from './abuse-guards.js'
import type { EmbedUser, EmbedUserOf } from './embed-user.js'
import { GUEST_TOKEN_PATH, PROXY_PATH } from './products.js'
import type { Products } from './products.js'

export interface EmbedRoutesOptions {
  products: Products
  proxyKeys: readonly string[]
  /** Origins of the pages that may call the routes. */
  origins: readonly string[]
  /** Maximum number of requests per minute, address and route; 0: no limit. */
  perMinute: number
  embedGuards: EmbedGuards
  userOf: EmbedUserOf
  /** How an open page gets its next `proxyAuthUrl`; `null`: the route is disabled. */
  renewal: RenewalOptions | null
}

/**
 * Registers the embedding routes of the enabled products. Every route accepts a user reference and refuses an invalid
 * one; with an identity provider, every route that pages call also accepts an identity token.
 */
export async function embedRoutes (app: FastifyInstance, options: EmbedRoutesOptions): Promise<void> {
  const { products, proxyKeys, origins, perMinute, embedGuards: abuseGuards, userOf, renewal } = options
  const rateLimit = perMinute === 0 ? false : { max: perMinute, timeWindow: 60_000 }
  const guards = { userReference: 'optional', ...abuseGuards.all } as const
  const cors = { origins }
  const { databrain, boldbi, dxfeed } = products

  if (databrain !== null) {
    const { apiKey, apiUrl, upstreamUrl, dataApp } = databrain
    const shared = {
      proxyKeys,
      apiKey,
      dataAppName: dataApp,
      ...apiUrl === undefined ? {} : { apiUrl },
      authorize: forUser(({ id, tenant, issuedAt }) => ({ clientId: tenant ?? id, userId: id, tenant, issuedAt }))
    }
    await app.register(guestToken, {
      ...shared,
      path: GUEST_TOKEN_PATH,
      errorStatus: databrain.errorStatus,
      // DataBrain's few servers call this route for many users, so many users share one address.
      rateLimit: rateLimit && { ...rateLimit, max: perMinute * 10 },
      userRateLimit: rateLimit,
      ...renewal === null
        ? {}
        : { renewal: { ...renewal, rateLimit, guards: { ...abuseGuards.all, ...abuseGuards.pages } } },
      guards
    })
    await app.register(databrainProxy, {
      ...shared,
      ...upstreamUrl === undefined ? {} : { upstreamUrl },
      prefix: PROXY_PATH,
      cors,
      // One dashboard makes dozens of requests.
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
      guards: { ...guards, ...abuseGuards.pages },
      authorize: forUser(({ id, ...since }) => ({ ...namedUser(id), ...since }))
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
      guards: { ...guards, ...abuseGuards.pages, ...abuseGuards.widgetToken },
      authorize: forUser(({ id, tenant, issuedAt }) => ({ user: id, tenant, issuedAt }))
    })
  }

  /** Returns an `authorize` function that is synchronous if `userOf` is. */
  function forUser<Grant extends object> (grantOf: (user: EmbedUser) => Grant) {
    return (request: FastifyRequest): Grant | null | Promise<Grant | null> => {
      const user = userOf(request)
      return user instanceof Promise ? user.then((user) => user && grantOf(user)) : user && grantOf(user)
    }
  }
}
