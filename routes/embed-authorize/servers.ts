import { INVALID_OPTIONS } from '../../plugins/errors.js'
import { upstreamClient } from '../../plugins/upstream-client.js'
import type { UpstreamClient, UpstreamClientOptions } from '../../plugins/upstream-client.js'
import { normaliseServerUrl } from '../../signing/server-url.js'

/** One Bold BI site that pages may embed from. */
export interface EmbedServerOptions {
  /** The site's API address, such as `https://bi.example.com/bi/api/site/site1`. Plain http is taken too: you chose it. */
  apiUrl: string
  /** The site's embed secret (Bold BI: Administration, Embed), taken as it is. */
  embedSecret: string
}

/** What Bold BI's answer may weigh, bytes. */
const MAX_RESPONSE = 4_194_304

export interface EmbedServer {
  /** The one spelling of its address. */
  apiUrl: string
  /** The path of its authorize endpoint, as it goes into the request target. */
  path: string
  embedSecret: string
  upstream: UpstreamClient
}

/** The configured servers by the one spelling of their address. Throws `INVALID_OPTIONS` for none, two alike, a bad address or an empty secret. */
export function embedServers (
  servers: readonly EmbedServerOptions[], client: Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'>
): Map<string, EmbedServer> {
  if (!Array.isArray(servers) || servers.length === 0) throw new INVALID_OPTIONS('embed-authorize: "servers" must list at least one Bold BI server')
  const known = new Map<string, EmbedServer>()
  for (const [at, { apiUrl, embedSecret }] of servers.entries()) {
    const where = `embed-authorize: "servers[${at}]`
    const normal = typeof apiUrl === 'string' ? normaliseServerUrl(apiUrl) : null
    if (normal === null) throw new INVALID_OPTIONS(`${where}.apiUrl" must be an http(s) address without credentials, query and fragment`)
    if (known.has(normal)) throw new INVALID_OPTIONS(`${where}.apiUrl" is the same server as one before it`)
    if (typeof embedSecret !== 'string' || embedSecret === '') {
      throw new INVALID_OPTIONS(`${where}.embedSecret" is empty; Bold BI shows it under Administration, Embed`)
    }
    const { origin } = new URL(normal)
    known.set(normal, {
      apiUrl: normal,
      path: `${normal.slice(origin.length)}/embed/authorize`,
      embedSecret,
      upstream: upstreamClient({ ...client, origin, maxResponse: MAX_RESPONSE })
    })
  }
  return known
}

/** The server that the request names. Its text only selects: what is called is always an address of the configuration. */
export function selectServer (servers: ReadonlyMap<string, EmbedServer>, text: string): EmbedServer | null {
  const normal = normaliseServerUrl(text)
  return normal === null ? null : servers.get(normal) ?? null
}
