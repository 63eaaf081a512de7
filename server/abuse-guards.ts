import type { FastifyInstance, FastifyRequest, GatehouseRouteConfig } from 'fastify'

import captcha from '../plugins/captcha/index.js'
import connectionLimit from '../plugins/connection-limit/index.js'
import csrf from '../plugins/csrf/index.js'
import requireHttps from '../plugins/require-https.js'
import { hmacSha256 } from '../signing/digest.js'
import type { Config } from './config/index.js'

export interface AbuseGuardsOptions {
  config: Pick<Config, 'captcha' | 'csrf' | 'requireHttps' | 'trustProxy' | 'limits'>
  /** The secret from which separate keys for CSRF tokens and ALTCHA challenges are derived. */
  secret: string
  /** Origins of the pages that may call the embedding routes. */
  origins: readonly string[]
  /** Returns the user of the session cookie, or `null`: without a session there is no request to forge. */
  sessionOf(request: FastifyRequest): string | null
}

/** Captchas whose solutions always contain an action; reCAPTCHA supports actions only in version 3. */
const HAS_ACTIONS: ReadonlySet<string> = new Set(['altcha', 'turnstile'])

/** The guard configuration of the embedding routes. */
export interface EmbedGuards {
  /** For all three products. */
  all: GatehouseRouteConfig
  /** For the routes that a page calls itself, with the user's cookie. */
  pages: GatehouseRouteConfig
  widgetToken: GatehouseRouteConfig
}

/** Registers the configured guards against abuse. Returns the guard configuration for the embedding routes. */
export async function abuseGuards (
  app: FastifyInstance,
  { config, secret, origins, sessionOf }: AbuseGuardsOptions
): Promise<EmbedGuards> {
  const { limits, captcha: chosen } = config
  const keyFor = (purpose: string) => hmacSha256(secret, `fastify-gatehouse server: ${purpose}`, 'base64url')

  await app.register(requireHttps, { global: config.requireHttps, hsts: false })
  await app.register(connectionLimit, {
    max: Math.max(1, limits.EMBED_CONNECTIONS_MAX),
    sockets: config.trustProxy === false && limits.ADDRESS_SOCKETS_MAX > 0 ? limits.ADDRESS_SOCKETS_MAX : false
  })
  if (config.csrf) await app.register(csrf, { key: keyFor('csrf'), sessionOf, origins, tokenPath: '/csrf/token' })
  if (chosen?.provider === 'altcha') {
    await app.register(captcha, { ...chosen, hmacKey: keyFor('altcha'), cors: { origins } })
  } else if (chosen !== null) {
    await app.register(captcha, chosen)
  }

  const all = limits.EMBED_CONNECTIONS_MAX === 0 ? {} : { connectionLimit: true }
  const pages = config.csrf ? { csrf: true } : {}
  return {
    all,
    pages,
    widgetToken: chosen === null ? {} : { captcha: HAS_ACTIONS.has(chosen.provider) ? { action: 'widget' } : true }
  }
}
