import type { RevocableGrant } from '../../plugins/embed-revocation.js'
import type { UpstreamCall } from '../../lib/upstream-client/index.js'
import type { EmbedIdentity } from '../../signing/boldbi/identity.js'
import { embedObject } from '../../signing/boldbi/embed-object.js'
import { signedEmbedQuery } from '../../signing/boldbi/signature.js'
import type { CheckedQuery } from './policy.js'
import type { EmbedServer } from './servers.js'

/**
 * `get`: signed query in the URL; `post`: the same string as a JSON body; `object`: Bold BI's object of version 14.1.
 */
export const EMBED_TRANSPORTS = ['get', 'post', 'object'] as const
export type EmbedTransport = typeof EMBED_TRANSPORTS[number]

export interface EmbedTransportOptions {
  transport: EmbedTransport
  maxUrlLength: number
}

/** A granted embed with its user. */
export interface GrantedEmbed {
  checked: CheckedQuery
  identity: EmbedIdentity
  /** The complete query to sign. */
  signableQuery: string
  /** The names by which the embed can be revoked. */
  revocable: RevocableGrant
}

/** The headers of a call to Bold BI. No header of the client's request is sent. */
const HEADERS = { accept: 'application/json', 'user-agent': 'fastify-gatehouse' }
const JSON_HEADERS = { ...HEADERS, 'content-type': 'application/json' }

/** The query keys that an object contains or does not need. */
const OBJECT_KEYS = new Set(['embed_nonce', 'embed_dashboard_id', 'embed_mode', 'embed_timestamp',
  'embed_expirationtime'])
/** The default lifetime of the SDK, in seconds. */
const DEFAULT_LIFETIME = '86400'

/**
 * Returns the call that requests an access token. A signed query is posted if its URL would be longer than
 * `maxUrlLength`. An object is sent only if it can express the whole query: the view of one dashboard by id, with the
 * default lifetime; any other query is signed and posted. Throws a TypeError that names the field if an object cannot
 * express the identity.
 */
export function embedCall (
  server: EmbedServer,
  secret: string,
  granted: GrantedEmbed,
  { transport, maxUrlLength }: EmbedTransportOptions
): UpstreamCall {
  const { checked, identity, signableQuery } = granted
  if (transport === 'object' && server.objectTarget !== null && canUseObject(checked)) {
    return post(server, embedObject(identity, checked.details.dashboardId ?? '', server.objectTarget, secret))
  }
  const signed = signedEmbedQuery(signableQuery, secret)
  if (transport === 'get' && server.apiUrl.length + '/embed/authorize?'.length + signed.length <= maxUrlLength) {
    return { method: 'GET', path: `${server.path}?${signed}`, headers: HEADERS }
  }
  return post(server, JSON.stringify(signed))
}

function post ({ path }: EmbedServer, body: string): UpstreamCall {
  return { method: 'POST', path, headers: JSON_HEADERS, body }
}

function canUseObject ({ query, details }: CheckedQuery): boolean {
  return details.mode === 'view' && details.dashboardId !== null && query.every(([key, value]) => {
    return key === 'embed_expirationtime' ? value === DEFAULT_LIFETIME : OBJECT_KEYS.has(key) || value === ''
  })
}
