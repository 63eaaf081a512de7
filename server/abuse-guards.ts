import type { FastifyInstance, FastifyRequest, GatehouseRouteConfig } from 'fastify'

import captcha from '../plugins/captcha/index.js'
import connectionLimit from '../plugins/connection-limit/index.js'
import csrf from '../plugins/csrf/index.js'
import requireHttps from '../plugins/require-https.js'
import { hmacSha256 } from '../signing/digest.js'
import type { Config } from './config/index.js'

export interface AbuseGuardsOptions {
  config: Pick<Config, 'captcha' | 'csrf' | 'requireHttps' | 'trustProxy' | 'limits'>
  /** From which the keys of CSRF tokens and ALTCHA's challenges are made, each its own. */
  secret: string
  /** The sites whose pages may call. */
  origins: readonly string[]
  /** The user that the request's cookie names, without which there is nothing to forge. */
  sessionOf (request: FastifyRequest): string | null
}

/** Which captchas are always solved for an action; reCAPTCHA's are in its third version alone. */
const HAS_ACTIONS: ReadonlySet<string> = new Set(['altcha', 'turnstile'])

/** What the embedding routes ask of the guards. */
export interface EmbedGuards {
  /** Of each of the three. */
  all: GatehouseRouteConfig
  /** Of those that a page calls by itself, with the user's cookie. */
  pages: GatehouseRouteConfig
  widgetToken: GatehouseRouteConfig
}

/** Registers the guards against abuse that the configuration asks for; returns what the embedding routes then ask of them. */
export async function abuseGuards (app: FastifyInstance, { config, secret, origins, sessionOf }: AbuseGuardsOptions): Promise<EmbedGuards> {
  const { limits, captcha: chosen } = config
  const keyFor = (purpose: string) => hmacSha256(secret, `fastify-gatehouse server: ${purpose}`, 'base64url')

  await app.register(requireHttps, { global: config.requireHttps, hsts: false })
  await app.register(connectionLimit, {
    max: Math.max(1, limits.EMBED_CONNECTIONS_MAX),
    sockets: config.trustProxy === false && limits.ADDRESS_SOCKETS_MAX > 0 ? limits.ADDRESS_SOCKETS_MAX : false
  })
  if (config.csrf) await app.register(csrf, { key: keyFor('csrf'), sessionOf, origins, tokenPath: '/csrf/token' })
  if (chosen?.provider === 'altcha') await app.register(captcha, { ...chosen, hmacKey: keyFor('altcha'), cors: { origins } })
  else if (chosen !== null) await app.register(captcha, chosen)

  const all = limits.EMBED_CONNECTIONS_MAX === 0 ? {} : { connectionLimit: true }
  const pages = config.csrf ? { csrf: true } : {}
  return { all, pages, widgetToken: chosen === null ? {} : { captcha: HAS_ACTIONS.has(chosen.provider) ? { action: 'widget' } : true } }
}
