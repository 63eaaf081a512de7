import type { RevocableGrant } from '../../plugins/embed-revocation.js'
import type { UpstreamCall } from '../../lib/upstream-client/index.js'
import type { EmbedIdentity } from '../../signing/boldbi/identity.js'
import { embedObject } from '../../signing/boldbi/embed-object.js'
import { signedEmbedQuery } from '../../signing/boldbi/signature.js'
import type { CheckedQuery } from './policy.js'
import type { EmbedServer } from './servers.js'

/** `get`: the signed query in the request target; `post`: the same text as a JSON string in the body; `object`: Bold BI's object of version 14.1. */
export const EMBED_TRANSPORTS = ['get', 'post', 'object'] as const
export type EmbedTransport = typeof EMBED_TRANSPORTS[number]

export interface EmbedTransportOptions { transport: EmbedTransport, maxUrlLength: number }

/** What was granted to whom. */
export interface GrantedEmbed {
  checked: CheckedQuery
  identity: EmbedIdentity
  /** The whole query, ready to be signed. */
  whole: string
  /** By what it may be cut off. */
  revocable: RevocableGrant
}

/** Everything that goes to Bold BI beside the query; nothing of the caller's request is among it. */
const HEADERS = { accept: 'application/json', 'user-agent': 'fastify-gatehouse' }
const JSON_HEADERS = { ...HEADERS, 'content-type': 'application/json' }

/** What an object can say, or need not. */
const IN_OBJECT = new Set(['embed_nonce', 'embed_dashboard_id', 'embed_mode', 'embed_timestamp', 'embed_expirationtime'])
/** Seconds, the SDK's own. */
const USUAL_LIFE = '86400'

/**
 * The call that asks for an access token. A signed query goes as a POST where its URL would be longer than `maxUrlLength`, and an object
 * only where it says all of the query: the view of one dashboard by its id, for the usual time; another query is signed and posted.
 * Throws a TypeError that names the field for an identity that an object cannot say.
 */
export function embedCall (server: EmbedServer, secret: string, granted: GrantedEmbed, { transport, maxUrlLength }: EmbedTransportOptions): UpstreamCall {
  const { checked, identity, whole } = granted
  if (transport === 'object' && server.objectTarget !== null && isSaidByObject(checked)) {
    return post(server, embedObject(identity, checked.details.dashboardId ?? '', server.objectTarget, secret))
  }
  const signed = signedEmbedQuery(whole, secret)
  if (transport === 'get' && server.apiUrl.length + '/embed/authorize?'.length + signed.length <= maxUrlLength) {
    return { method: 'GET', path: `${server.path}?${signed}`, headers: HEADERS }
  }
  return post(server, JSON.stringify(signed))
}

function post ({ path }: EmbedServer, body: string): UpstreamCall {
  return { method: 'POST', path, headers: JSON_HEADERS, body }
}

function isSaidByObject ({ query, details }: CheckedQuery): boolean {
  return details.mode === 'view' && details.dashboardId !== null && query.every(([key, value]) => {
    return key === 'embed_expirationtime' ? value === USUAL_LIFE : IN_OBJECT.has(key) || value === ''
  })
}
