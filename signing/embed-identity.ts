import { assertPrintable } from './printable.js'

/** Names and values that narrow the data which a dashboard shows. */
export type EmbedFilters = Readonly<Record<string, string | readonly string[]>>

/** Who a dashboard is embedded for, and with which data; decided by the host alone. */
export interface EmbedIdentity {
  /** The Bold BI user's e-mail address; either this or `username`. */
  email?: string
  /** The Bold BI user's name, where the users have no address. */
  username?: string
  /**
   * `parameters` are dashboard parameters (`&&name=value` in Bold BI's spelling), `fields` are filters on data-source fields
   * (`&name=value`; a list is `IN(…)`).
   */
  datasourceFilter?: { parameters?: Readonly<Record<string, string>>, fields?: EmbedFilters }
  /** Values of custom attributes, which Bold BI puts into queries and connection strings. */
  customAttributes?: Readonly<Record<string, string>>
  /** Group-based authorization by an identity provider, whose groups Bold BI has imported. `userImport` creates the user too. Default: `false`. */
  groupAccess?: { authProvider: string, userId: string, userImport?: boolean }
  /** A user whom Bold BI does not know, with the rights of one of its groups. */
  anonymous?: { group: string }
}

/** What would end a value, or the filter around it, for one of the parsers on the way. */
const FORBIDDEN = '&#]}'

/**
 * The identity as `key=value` texts, the user first. Values are percent-encoded as encodeURI does, and `+`, `'` and `;` with
 * them; the brackets, braces and ampersands of a filter stay as Bold BI's samples send them.
 * Throws a TypeError that names the field, and never shows its value.
 */
export function identityEntries (identity: EmbedIdentity): [string, ...string[]] {
  const { email, username, datasourceFilter, customAttributes, groupAccess, anonymous } = identity
  // A misspelt filter that is passed over would show the user everything.
  assertMembers('identity', identity, ['email', 'username', 'datasourceFilter', 'customAttributes', 'groupAccess', 'anonymous'])
  assertMembers('datasourceFilter', datasourceFilter, ['parameters', 'fields'])
  assertMembers('datasourceFilter.parameters', datasourceFilter?.parameters)
  assertMembers('datasourceFilter.fields', datasourceFilter?.fields)
  assertMembers('customAttributes', customAttributes)
  assertMembers('groupAccess', groupAccess, ['authProvider', 'userId', 'userImport'])
  assertMembers('anonymous', anonymous, ['group'])
  if ((email === undefined) === (username === undefined)) throw new TypeError('email: give either "email" or "username"')
  const entries: [string, ...string[]] = [`embed_user_email=${plain(email === undefined ? 'username' : 'email', email ?? username)}`]
  const filters = [...parameterFilters(datasourceFilter?.parameters ?? {}), ...fieldFilters(datasourceFilter?.fields ?? {})]
  if (filters.length > 0) entries.push(`embed_datasource_filter=[{${filters.join('')}}]`)
  if (customAttributes !== undefined && Object.keys(customAttributes).length > 0) entries.push(`embed_custom_attribute=${attributes(customAttributes)}`)
  if (groupAccess !== undefined) {
    entries.push('embed_group_access=true', `embed_auth_provider=${plain('groupAccess.authProvider', groupAccess.authProvider)}`)
    entries.push(`embed_user_id=${plain('groupAccess.userId', groupAccess.userId)}`)
    if (groupAccess.userImport === true) entries.push('embed_user_import=true')
  }
  if (anonymous !== undefined) entries.push('embed_anonymous_token=true', `embed_authorize_group=${plain('anonymous.group', anonymous.group)}`)
  return entries
}

function assertMembers (field: string, value: unknown, known?: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${field}: must be an object`)
  if (known !== undefined && Object.keys(value).some((name) => !known.includes(name))) {
    throw new TypeError(`${field}: must have no members but ${known.join(', ')}`)
  }
}

function parameterFilters (parameters: Readonly<Record<string, string>>): string[] {
  return Object.entries(parameters).map(([name, value]) => {
    return `&&${filterName('datasourceFilter.parameters', name)}=${plain('datasourceFilter.parameters: a value', value)}`
  })
}

function fieldFilters (fields: EmbedFilters): string[] {
  const field = 'datasourceFilter.fields: a value'
  return Object.entries(fields).map(([name, value]) => {
    const key = filterName('datasourceFilter.fields', name)
    if (typeof value !== 'string') return `&${key}=IN(${list(field, value).join(',')})`
    // `IN(a,b)`, `NOTIN(…)` and their like would be read as an operator and could widen what the user sees.
    if (/^\s*\w+\s*\(.*\)\s*$/.test(value)) throw new TypeError(`${field} reads as an operator; give a list`)
    return `&${key}=${plain(field, value)}`
  })
}

function list (field: string, values: readonly string[]): string[] {
  // IN() without values might be read as no filter at all.
  if (!Array.isArray(values) || values.length === 0) throw new TypeError(`${field}: must be a text or a list that is not empty`)
  return values.map((value) => plain(field, value, ',()'))
}

function filterName (field: string, name: string): string {
  // A parser that splits at every ampersand would take such a name for a parameter of ours.
  if (/^\s*embed_/i.test(name)) throw new TypeError(`${field}: a name must not begin with "embed_"`)
  return plain(`${field}: a name`, name, '=[{')
}

function attributes (values: Readonly<Record<string, string>>): string {
  for (const [name, value] of Object.entries(values)) {
    plain('customAttributes: a name', name)
    assertPrintable('customAttributes: a value', value, FORBIDDEN)
  }
  return `[{${encode(JSON.stringify(values).slice(1, -1))}}]`
}

function plain (field: string, value: unknown, forbidden = ''): string {
  assertPrintable(field, value, FORBIDDEN + forbidden)
  if (value.trim() === '') throw new TypeError(`${field}: must not be empty`)
  return encode(value)
}

function encode (text: string): string {
  return encodeURI(text).replace(/[+';]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
