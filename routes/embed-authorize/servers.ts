import type { FastifyBaseLogger } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { upstreamClient } from '../../lib/upstream-client/index.js'
import type { UpstreamClient, UpstreamClientOptions } from '../../lib/upstream-client/index.js'
import type { EmbedObjectTarget } from '../../signing/boldbi/embed-object.js'
import { normaliseServerUrl } from '../../signing/boldbi/server-url.js'

/** One Bold BI site that pages may embed from. */
export interface EmbedServerOptions {
  /** The site's API address, such as `https://bi.example.com/bi/api/site/site1`. Plain http is taken too: you chose it. */
  apiUrl: string
  /**
   * The site's embed secret (Bold BI: Administration, Embed), taken as it is. A function is asked again as its answer ages past
   * `secretMaxAge`, so that a secret that was made anew in Bold BI comes into use without a restart.
   */
  embedSecret: SecretSource<string>
}

const KNOWN: KnownOptions<EmbedServerOptions> = { apiUrl: true, embedSecret: true }
/** What Bold BI's answer may weigh, bytes. */
const MAX_RESPONSE = 4_194_304
const LOOPBACK = /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/

export interface EmbedServer {
  /** The one spelling of its address. */
  apiUrl: string
  /** The path of its authorize endpoint, as it goes into the request target. */
  path: string
  /** What an object says of the server; null where its address has no `/api`. */
  objectTarget: EmbedObjectTarget | null
  secret: RotatingSecret<string, string>
  upstream: UpstreamClient
}

type ClientOptions = Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'>

/** The configured servers by the one spelling of their address. Rejects with `INVALID_OPTIONS` for none, two alike, a bad address or no secret. */
export async function embedServers (
  servers: readonly EmbedServerOptions[], client: ClientOptions, { log, maxAge }: { log: FastifyBaseLogger, maxAge: number | undefined }
): Promise<Map<string, EmbedServer>> {
  if (!Array.isArray(servers) || servers.length === 0) throw new INVALID_OPTIONS('embed-authorize: "servers" must list at least one Bold BI server')
  const known = new Map<string, EmbedServer>()
  for (const [at, server] of servers.entries()) {
    refuseUnknownMembers('embedAuthorize', `servers[${at}].`, server, KNOWN)
    const { apiUrl, embedSecret } = server
    const where = `embed-authorize: "servers[${at}]`
    const normal = typeof apiUrl === 'string' ? normaliseServerUrl(apiUrl) : null
    if (normal === null) throw new INVALID_OPTIONS(`${where}.apiUrl" must be an http(s) address without credentials, query and fragment`)
    if (known.has(normal)) throw new INVALID_OPTIONS(`${where}.apiUrl" is the same server as one before it`)
    const { origin } = new URL(normal)
    known.set(normal, {
      apiUrl: normal,
      path: `${normal.slice(origin.length)}/embed/authorize`,
      objectTarget: objectTarget(normal),
      secret: await RotatingSecret.open(embedSecret, { log, maxAge, name: `${where}.embedSecret"`, check: (secret) => checkedSecret(secret, where) }),
      upstream: upstreamClient({ ...client, origin, maxResponse: MAX_RESPONSE })
    })
  }
  return known
}

function checkedSecret (secret: string, where: string): string {
  if (typeof secret !== 'string' || secret === '') throw new INVALID_OPTIONS(`${where}.embedSecret" is empty; Bold BI shows it under Administration, Embed`)
  return secret
}

/** The server that the request names. Its text only selects: what is called is always an address of the configuration. */
export function selectServer (servers: ReadonlyMap<string, EmbedServer>, text: string): EmbedServer | null {
  const normal = normaliseServerUrl(text)
  return normal === null ? null : servers.get(normal) ?? null
}

/** An object holds the embed secret itself: it must say where it goes, and is better not sent in the clear. Throws `INVALID_OPTIONS`. */
export function checkForObjects (servers: ReadonlyMap<string, EmbedServer>, log: FastifyBaseLogger): void {
  for (const { apiUrl, objectTarget } of servers.values()) {
    if (objectTarget === null) throw new INVALID_OPTIONS(`embed-authorize: "transport": 'object' needs an "apiUrl" with /api in its path, unlike ${apiUrl}`)
    const { protocol, hostname } = new URL(apiUrl)
    if (protocol === 'http:' && !LOOPBACK.test(hostname)) log.warn({ server: apiUrl }, 'embed-authorize: objects carry the embed secret over plain http')
  }
}

/** The two parts of `https://bi.example.com/bi/api/site/site1` on both sides of `/api`; null for an address without it. */
function objectTarget (apiUrl: string): EmbedObjectTarget | null {
  const { origin, pathname } = new URL(apiUrl)
  // The first one, since a site may be called so too.
  const [, path, siteIdentifier = ''] = /^(.*?)\/api(?:\/(.+))?$/.exec(pathname) ?? []
  return path === undefined ? null : { serverUrl: origin + path, siteIdentifier }
}
