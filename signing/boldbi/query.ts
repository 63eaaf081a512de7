import { decodeRepeatedly } from './decode-repeatedly.js'

/**
 * The validated query that Bold BI's embed SDK builds in the browser: each key once, in the original order, with the
 * value still percent-encoded.
 */
export type EmbedQuery = ReadonlyArray<readonly [key: string, rawValue: string]>

/** Why a query is refused. The reason contains nothing of the query itself. */
export type EmbedQueryReason =
  | 'empty'
  | 'malformed'
  | 'forbidden_character'
  | 'bad_encoding'
  | 'server_key'
  | 'unknown_key'
  | 'duplicate_key'
  | 'delimiter'

/** The error for a query that must not be signed. `message` is safe to show to the caller. */
export class EmbedQueryError extends TypeError {
  override name = 'EmbedQueryError'

  constructor (readonly reason: EmbedQueryReason) {
    super(MESSAGES[reason])
  }
}

export interface ParseEmbedQueryOptions {
  /** Also accept the keys of the pinboard actions. Default: `false`. */
  pinboard?: boolean
}

const MESSAGES: Record<EmbedQueryReason, string> = {
  empty: 'The embed query is empty',
  malformed: 'The embed query is not a list of key=value pairs',
  forbidden_character: 'The embed query contains a character that must be percent-encoded',
  bad_encoding: 'The embed query is not properly percent-encoded',
  server_key: 'The embed query sets a parameter that only the server may set',
  unknown_key: 'The embed query contains an unknown parameter',
  duplicate_key: 'The embed query contains a parameter twice',
  delimiter: 'The embed query contains "&" or "#" inside a value'
}

/** Keys that SDK 14 sends for dashboards, views, widgets and data sources. */
const KEYS = [
  'embed_nonce',
  'embed_dashboard_id',
  'embed_dashboard_ids',
  'embed_dashboard_path',
  'embed_dashboard_paths',
  'pinboard_name',
  'embed_mode',
  'embed_timestamp',
  'embed_expirationtime',
  'embed_dashboardview_id',
  'embed_dashboardview_name',
  'embed_widget_isenabled',
  'embed_widget_name',
  'embed_widget_list',
  'isMultiTab',
  'embed_datasource_id',
  'embed_datasource_name'
]

/** Keys that the pinboard actions add. The SDK itself misspells `pinDashbooardId`. */
const PINBOARD_KEYS = [
  'homepageId',
  'layout',
  'moveFrom',
  'moveTo',
  'unpinPosition',
  'isUnpin',
  'isPinUpdate',
  'pinWidgetId',
  'pinDashbooardId',
  'pinWidgetName'
]

const SERVER_KEYS = [
  'embed_user_email',
  'embed_server_timestamp',
  'embed_signature',
  'embed_datasource_filter',
  'embed_custom_attribute',
  'embed_group_access',
  'embed_auth_provider',
  'embed_user_id',
  'embed_user_import',
  'embed_anonymous_token',
  'embed_authorize_group'
]

const DASHBOARD_KEYS = new Set(KEYS)
const DASHBOARD_AND_PINBOARD_KEYS = new Set([...KEYS, ...PINBOARD_KEYS])
const SERVER_KEY = new RegExp(`^(?:${SERVER_KEYS.join('|')})$`, 'i')
const SERVER_KEY_INSIDE = new RegExp(`(?:${SERVER_KEYS.join('|')})[\\s+]*=`, 'i')
const DELIMITER = /[&#]/

/** The characters of a query (RFC 3986, section 3.4): all that `encodeURI` in the SDK leaves, except `#`. */
const QUERY = /^[\w\-.~!$&'()*+,;=:@/?%]*$/
const LINE_OR_NUL = /[\r\n\0]/
/** Characters. A longer key cannot decode to a key of the server, however it is encoded. */
const MAX_KEY_LENGTH = 1_024

/**
 * Parses the query that the browser asks to sign. A key that is repeated, unknown or reserved for the server (after
 * percent-decoding, in any case) is refused. Values that contain `&` or `#` after any number of decodings are refused
 * too, so that no other reader finds additional parameters. Characters that are illegal in a request target are
 * refused.
 *
 * @throws EmbedQueryError with the reason.
 */
export function parseEmbedQuery (query: string, { pinboard = false }: ParseEmbedQueryOptions = {}): EmbedQuery {
  if (query === '') throw new EmbedQueryError('empty')
  if (!QUERY.test(query)) throw new EmbedQueryError('forbidden_character')
  const known = pinboard ? DASHBOARD_AND_PINBOARD_KEYS : DASHBOARD_KEYS
  const seen = new Set<string>()
  // At one pair more than there are keys, a key is unknown or repeated, so the remaining pairs need not be read.
  return query.split('&', known.size + 1).map((pair) => {
    const equals = pair.indexOf('=')
    const key = equals === -1 ? pair : pair.slice(0, equals)
    const value = pair.slice(key.length + 1)
    const decoded = decodeFully(value)
    const isServerKey = key.length <= MAX_KEY_LENGTH && SERVER_KEY.test(decodeFully(key).trim())
    if (isServerKey || SERVER_KEY_INSIDE.test(decoded)) throw new EmbedQueryError('server_key')
    if (equals < 1) throw new EmbedQueryError('malformed')
    if (!known.has(key)) throw new EmbedQueryError('unknown_key')
    if (seen.has(key)) throw new EmbedQueryError('duplicate_key')
    if (DELIMITER.test(decoded)) throw new EmbedQueryError('delimiter')
    seen.add(key)
    return [key, value] as const
  })
}

/** Returns the decoded value of a key, or `null` if the query does not contain the key. */
export function embedValue (query: EmbedQuery, key: string): string | null {
  const entry = query.find(([name]) => name === key)
  return entry === undefined ? null : decode(entry[1])
}

/** Returns the query with `key` set to `value`: replaced in place if present, otherwise appended. */
export function withEmbedValue (query: EmbedQuery, key: string, value: string): EmbedQuery {
  const entry = [key, encodeURIComponent(value)] as const
  return query.some(([name]) => name === key) ? query.map((old) => old[0] === key ? entry : old) : [...query, entry]
}

function decode (raw: string): string {
  try {
    const decoded = decodeURIComponent(raw)
    if (!LINE_OR_NUL.test(decoded)) return decoded
  } catch {}
  throw new EmbedQueryError('bad_encoding')
}

/**
 * Decodes until nothing changes. Only the first decoding handles non-ASCII characters; later ones handle ASCII alone,
 * so that one invalid escape cannot hide another one.
 */
function decodeFully (raw: string): string {
  const text = decode(raw)
  const decoded = text.includes('%') ? decodeRepeatedly(text) : text
  if (decoded === null) throw new EmbedQueryError('bad_encoding')
  return decoded
}
