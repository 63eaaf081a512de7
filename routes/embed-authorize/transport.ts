import type { UpstreamCall } from '../../plugins/upstream-client.js'
import type { EmbedServer } from './servers.js'

/** `get`: the signed query in the request target; `post`: the same text as a JSON string in the body. */
export const EMBED_TRANSPORTS = ['get', 'post'] as const
export type EmbedTransport = typeof EMBED_TRANSPORTS[number]

/** Everything that goes to Bold BI beside the query; nothing of the caller's request is among it. */
const HEADERS = { accept: 'application/json', 'user-agent': 'fastify-gatehouse' }

/** The call that carries a signed query, as a POST where the URL would be longer than `maxUrlLength`. */
export function embedCall (server: EmbedServer, signed: string, transport: EmbedTransport, maxUrlLength: number): UpstreamCall {
  if (transport === 'get' && server.apiUrl.length + '/embed/authorize?'.length + signed.length <= maxUrlLength) {
    return { method: 'GET', path: `${server.path}?${signed}`, headers: HEADERS }
  }
  return { method: 'POST', path: server.path, headers: { ...HEADERS, 'content-type': 'application/json' }, body: JSON.stringify(signed) }
}
