import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { upstreamClient } from '../../lib/upstream-client/index.js'
import { meteredUpstream } from '../../lib/upstream-client/metered.js'
import type { UpstreamClient, UpstreamClientOptions } from '../../lib/upstream-client/index.js'
import type { EmbedObjectTarget } from '../../signing/boldbi/embed-object.js'
import { normaliseServerUrl } from '../../signing/boldbi/server-url.js'

/** A Bold BI site whose dashboards pages may embed. */
export interface EmbedServerOptions {
  /** API address of the site, such as `https://bi.example.com/bi/api/site/site1`; http or https. */
  apiUrl: string
  /**
   * Embed secret of the site, from Administration, Embed in Bold BI; or a function that returns the current secret. The
   * function is called again after `secretMaxAge`, so that a new secret needs no restart.
   */
  embedSecret: SecretSource<string>
}

const KNOWN: KnownOptions<EmbedServerOptions> = { apiUrl: true, embedSecret: true }
/** Maximum bytes of a response of Bold BI. */
const MAX_RESPONSE = 4_194_304
const LOOPBACK = /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/

export interface EmbedServer {
  /** The normalised address. */
  apiUrl: string
  /** The path of its authorize endpoint. */
  path: string
  /** The server's address in the form of the transport `'object'`; `null` if the address has no `/api`. */
  objectTarget: EmbedObjectTarget | null
  secret: RotatingSecret<string, string>
  upstream: UpstreamClient
}

type ClientOptions = Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'>

/**
 * Returns the configured servers by normalised address. Rejects with `INVALID_OPTIONS` for an empty list, a repeated
 * server, an invalid address or a missing secret.
 */
export async function embedServers (
  servers: readonly EmbedServerOptions[],
  client: ClientOptions,
  app: FastifyInstance,
  maxAge: number | undefined
): Promise<Map<string, EmbedServer>> {
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new INVALID_OPTIONS('embed-authorize: "servers" must list at least one Bold BI server')
  }
  const known = new Map<string, EmbedServer>()
  for (const [at, server] of servers.entries()) {
    refuseUnknownMembers('embedAuthorize', `servers[${at}].`, server, KNOWN)
    const { apiUrl, embedSecret } = server
    const where = `embed-authorize: "servers[${at}]`
    const normal = typeof apiUrl === 'string' ? normaliseServerUrl(apiUrl) : null
    if (normal === null) {
      throw new INVALID_OPTIONS(`${where}.apiUrl" must be an http(s) URL without credentials, query or fragment`)
    }
    if (known.has(normal)) {
      throw new INVALID_OPTIONS(`${where}.apiUrl" repeats an earlier server; list each server once`)
    }
    const { origin } = new URL(normal)
    known.set(normal, {
      apiUrl: normal,
      path: `${normal.slice(origin.length)}/embed/authorize`,
      objectTarget: objectTarget(normal),
      secret: await RotatingSecret.open(embedSecret, {
        log: app.log,
        maxAge,
        name: `${where}.embedSecret"`,
        check: (secret) => checkedSecret(secret, where)
      }),
      upstream: meteredUpstream(app, 'boldbi', upstreamClient({ ...client, origin, maxResponse: MAX_RESPONSE }))
    })
  }
  return known
}

function checkedSecret (secret: string, where: string): string {
  if (typeof secret !== 'string' || secret === '') {
    throw new INVALID_OPTIONS(`${where}.embedSecret" is empty; copy it from Administration, Embed in Bold BI`)
  }
  return secret
}

/** Returns the configured server that a request names, or `null`. Only configured addresses are ever called. */
export function selectServer (servers: ReadonlyMap<string, EmbedServer>, text: string): EmbedServer | null {
  const normal = normaliseServerUrl(text)
  return normal === null ? null : servers.get(normal) ?? null
}

/**
 * Checks the servers for the transport `'object'`, which sends the embed secret. Throws `INVALID_OPTIONS` for an
 * address without `/api`, and logs a warning for plain http.
 */
export function checkForObjects (servers: ReadonlyMap<string, EmbedServer>, log: FastifyBaseLogger): void {
  for (const { apiUrl, objectTarget } of servers.values()) {
    if (objectTarget === null) {
      throw new INVALID_OPTIONS(
        `embed-authorize: "transport": 'object' needs an "apiUrl" with /api in its path, unlike ${apiUrl}`
      )
    }
    const { protocol, hostname } = new URL(apiUrl)
    if (protocol === 'http:' && !LOOPBACK.test(hostname)) {
      log.warn({ server: apiUrl }, 'embed-authorize: "transport": \'object\' sends the embed secret over plain http')
    }
  }
}

/** Returns the parts of `https://bi.example.com/bi/api/site/site1` before and after `/api`; `null` without `/api`. */
function objectTarget (apiUrl: string): EmbedObjectTarget | null {
  const { origin, pathname } = new URL(apiUrl)
  // Splits at the first `/api`, because a site may also have that name.
  const [, path, siteIdentifier = ''] = /^(.*?)\/api(?:\/(.+))?$/.exec(pathname) ?? []
  return path === undefined ? null : { serverUrl: origin + path, siteIdentifier }
}
