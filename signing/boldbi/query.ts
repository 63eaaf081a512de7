import { innermostText } from './innermost-text.js'

/** The query that Bold BI's embed SDK builds in the browser, checked: each key once, in its order, the value in the percent-encoded text it came in. */
export type EmbedQuery = ReadonlyArray<readonly [key: string, rawValue: string]>

/** What is wrong with a query; says nothing of its text. */
export type EmbedQueryFault = 'empty' | 'malformed' | 'forbidden_character' | 'bad_encoding' | 'server_key' | 'unknown_key' | 'duplicate_key' | 'delimiter'

/** A query that must not be signed. `message` may be shown to the caller. */
export class EmbedQueryError extends TypeError {
  override name = 'EmbedQueryError'

  constructor (readonly reason: EmbedQueryFault) {
    super(MESSAGES[reason])
  }
}

export interface ParseEmbedQueryOptions {
  /** Accept the keys of the pinboard actions too. Default: `false`. */
  pinboard?: boolean
}

const MESSAGES: Record<EmbedQueryFault, string> = {
  empty: 'The embed query is empty',
  malformed: 'The embed query is not a list of key=value pairs',
  forbidden_character: 'The embed query contains a character that must be percent-encoded',
  bad_encoding: 'The embed query is not properly percent-encoded',
  server_key: 'The embed query sets a parameter that only the server may set',
  unknown_key: 'The embed query contains an unknown parameter',
  duplicate_key: 'The embed query contains a parameter twice',
  delimiter: 'The embed query contains "&" or "#" inside a value'
}

/** What SDK 14 sends: dashboards, views, widgets and data sources. */
const KEYS = [
  'embed_nonce', 'embed_dashboard_id', 'embed_dashboard_ids', 'embed_dashboard_path', 'embed_dashboard_paths', 'pinboard_name', 'embed_mode',
  'embed_timestamp', 'embed_expirationtime', 'embed_dashboardview_id', 'embed_dashboardview_name', 'embed_widget_isenabled', 'embed_widget_name',
  'embed_widget_list', 'isMultiTab', 'embed_datasource_id', 'embed_datasource_name'
]

/** What the pinboard actions add; the misspelling is the SDK's. */
const PINBOARD_KEYS = [
  'homepageId', 'layout', 'moveFrom', 'moveTo', 'unpinPosition', 'isUnpin', 'isPinUpdate', 'pinWidgetId', 'pinDashbooardId', 'pinWidgetName'
]

const SERVER_KEYS = [
  'embed_user_email', 'embed_server_timestamp', 'embed_signature', 'embed_datasource_filter', 'embed_custom_attribute', 'embed_group_access',
  'embed_auth_provider', 'embed_user_id', 'embed_user_import', 'embed_anonymous_token', 'embed_authorize_group'
]

const DASHBOARD = new Set(KEYS)
const WITH_PINBOARD = new Set([...KEYS, ...PINBOARD_KEYS])
const SERVER_KEY = new RegExp(`^(?:${SERVER_KEYS.join('|')})$`, 'i')
const SERVER_KEY_INSIDE = new RegExp(`(?:${SERVER_KEYS.join('|')})[\\s+]*=`, 'i')
const DELIMITER = /[&#]/

/** The characters of a query by RFC 3986, section 3.4: all that encodeURI leaves, which the SDK applies, but for `#`. */
const QUERY = /^[\w\-.~!$&'()*+,;=:@/?%]*$/
const LINE_OR_NUL = /[\r\n\0]/
/** Characters of a key, which no key of the server reaches however it is encoded. */
const LONGEST_KEY = 1_024

/**
 * Parses the query that the browser wants signed. It is refused, with an EmbedQueryError, if a key comes twice, is unknown, or
 * belongs to the server (after percent-decoding, in any case). A reader that decodes before it splits, or more than once, must find no
 * other parameters: no value may hold `&` or `#`, however often encoded. Nor may the text hold what could not stand in a request target as it is.
 */
export function parseEmbedQuery (text: string, { pinboard = false }: ParseEmbedQueryOptions = {}): EmbedQuery {
  if (text === '') throw new EmbedQueryError('empty')
  if (!QUERY.test(text)) throw new EmbedQueryError('forbidden_character')
  const known = pinboard ? WITH_PINBOARD : DASHBOARD
  const seen = new Set<string>()
  // With one pair more than there are keys, one of them is unknown or comes twice: the others need not be read.
  return text.split('&', known.size + 1).map((pair) => {
    const equals = pair.indexOf('=')
    const key = equals === -1 ? pair : pair.slice(0, equals)
    const value = pair.slice(key.length + 1)
    const innermost = decodeThrough(value)
    const isServerKey = key.length <= LONGEST_KEY && SERVER_KEY.test(decodeThrough(key).trim())
    if (isServerKey || SERVER_KEY_INSIDE.test(innermost)) throw new EmbedQueryError('server_key')
    if (equals < 1) throw new EmbedQueryError('malformed')
    if (!known.has(key)) throw new EmbedQueryError('unknown_key')
    if (seen.has(key)) throw new EmbedQueryError('duplicate_key')
    if (DELIMITER.test(innermost)) throw new EmbedQueryError('delimiter')
    seen.add(key)
    return [key, value] as const
  })
}

/** The decoded value of a key, or null where the query does not have it. */
export function embedValue (query: EmbedQuery, key: string): string | null {
  const entry = query.find(([name]) => name === key)
  return entry === undefined ? null : decode(entry[1])
}

/** The query with a key set to another value: in its place if the query has it, else at the end. */
export function withEmbedValue (query: EmbedQuery, key: string, value: string): EmbedQuery {
  const entry = [key, encodeURIComponent(value)] as const
  return query.some(([name]) => name === key) ? query.map((old) => old[0] === key ? entry : old) : [...query, entry]
}

function decode (raw: string): string {
  try {
    const text = decodeURIComponent(raw)
    if (!LINE_OR_NUL.test(text)) return text
  } catch {}
  throw new EmbedQueryError('bad_encoding')
}

/** Decoded until nothing changes; after the first time in ASCII alone, which is all that is looked for, so that one wrong escape saves no other. */
function decodeThrough (raw: string): string {
  const text = decode(raw)
  const innermost = text.includes('%') ? innermostText(text) : text
  if (innermost === null) throw new EmbedQueryError('bad_encoding')
  return innermost
}
