import { assertNotEncoded } from './filter-escape.js'
import { checkedFilter, filterText } from './filter.js'
import type { CheckedFilter, EmbedFilters } from './filter.js'
import { assertPrintable } from '../printable.js'

export type { EmbedFilters } from './filter.js'

/** Who a dashboard is embedded for, and with which data; decided by the host alone. */
export interface EmbedIdentity {
  /** The Bold BI user's e-mail address; either this or `username`. */
  email?: string
  /** The Bold BI user's name, where the users have no address. */
  username?: string
  /**
   * `parameters` are dashboard parameters (`&&name=value` in Bold BI's spelling), for which there are `isIn` and `isNotIn` alone; `fields` are
   * filters on data-source fields (`&name=value`). A list is `isIn`; the other conditions are made by `embedFilter`. Bold BI passes over a
   * filter whose name it does not know: try each one.
   */
  datasourceFilter?: { parameters?: EmbedFilters, fields?: EmbedFilters }
  /** Values of custom attributes, which Bold BI puts into queries and connection strings as they are: give none that a user could choose. */
  customAttributes?: Readonly<Record<string, string>>
  /** Group-based authorization by an identity provider, whose groups Bold BI has imported. `userImport` creates the user too. Default: `false`. */
  groupAccess?: { authProvider: string, userId: string, userImport?: boolean }
  /** A user whom Bold BI does not know, with the rights of one of its groups. */
  anonymous?: { group: string }
}

export interface NamedFilter extends CheckedFilter { name: string }

/** An identity that may be written into a query. */
export interface CheckedIdentity {
  user: string
  parameters: readonly NamedFilter[]
  fields: readonly NamedFilter[]
  attributes: Readonly<Record<string, string>>
  groupAccess: { authProvider: string, userId: string, userImport: boolean } | null
  anonymousGroup: string | null
}

/** What would end a value, or the filter around it, for one of the parsers on the way. */
const FORBIDDEN = '&#]}'
/** Dashboard parameters become a part of a query's text. */
const QUERY_SYNTAX = '\'"`;\\'
/** `tenant` and `issuedAt` are for whoever asks about revocation, and are never signed. */
const MEMBERS = ['email', 'username', 'datasourceFilter', 'customAttributes', 'groupAccess', 'anonymous', 'tenant', 'issuedAt']
/** Names that Bold BI takes for settings of its own, so that a filter of that name would be none. */
const KEYWORD = new RegExp(`^\\s*(?:embed_.*|${[
  'id', 'comment', 'tab', 'showmydashboards', 'viewid', 'ismultitab', 'bi_theme', 'multitabid', 'hide_header', 'hide_tool', 'hide_widget_tool', 'isembed', 'views',
  'export', 'dashboard_comments', 'widget_comments?'
].join('|')})\\s*$`, 'i')

/** Throws a TypeError that names the field, and never shows its value. */
export function checkedIdentity (identity: EmbedIdentity): CheckedIdentity {
  const { email, username, datasourceFilter, customAttributes = {}, groupAccess, anonymous } = identity
  // A misspelt filter that is passed over would show the user everything.
  assertMembers('identity', identity, MEMBERS)
  assertMembers('datasourceFilter', datasourceFilter, ['parameters', 'fields'])
  assertMembers('datasourceFilter.parameters', datasourceFilter?.parameters)
  assertMembers('datasourceFilter.fields', datasourceFilter?.fields)
  assertMembers('customAttributes', customAttributes)
  assertMembers('groupAccess', groupAccess, ['authProvider', 'userId', 'userImport'])
  assertMembers('anonymous', anonymous, ['group'])
  if ((email === undefined) === (username === undefined)) throw new TypeError('email: give either "email" or "username"')
  for (const [name, value] of Object.entries(customAttributes)) {
    plain('customAttributes: a name', name)
    assertPrintable('customAttributes: a value', value, FORBIDDEN)
    assertNotEncoded('customAttributes: a value', value)
  }
  return {
    user: plain(email === undefined ? 'username' : 'email', email ?? username),
    parameters: named('datasourceFilter.parameters', datasourceFilter?.parameters, QUERY_SYNTAX),
    fields: named('datasourceFilter.fields', datasourceFilter?.fields),
    attributes: customAttributes,
    groupAccess: groupAccess === undefined
      ? null
      : {
          authProvider: plain('groupAccess.authProvider', groupAccess.authProvider),
          userId: plain('groupAccess.userId', groupAccess.userId),
          userImport: groupAccess.userImport === true
        },
    anonymousGroup: anonymous === undefined ? null : plain('anonymous.group', anonymous.group)
  }
}

/**
 * The identity as `key=value` texts, the user first. Values are percent-encoded as encodeURI does, and `+`, `'` and `;` with
 * them; the brackets, braces and ampersands of a filter stay as Bold BI's samples send them.
 * Throws a TypeError that names the field, and never shows its value.
 */
export function identityEntries (identity: EmbedIdentity): [string, ...string[]] {
  const { user, parameters, fields, attributes, groupAccess, anonymousGroup } = checkedIdentity(identity)
  const entries: [string, ...string[]] = [`embed_user_email=${encode(user)}`]
  const filters = [
    ...parameters.map((filter) => `&&${filterText(filter.name, filter)}`),
    ...fields.map((filter) => `&${filterText(filter.name, filter)}`)
  ]
  if (filters.length > 0) entries.push(`embed_datasource_filter=[{${encode(filters.join(''))}}]`)
  if (Object.keys(attributes).length > 0) entries.push(`embed_custom_attribute=[{${encode(JSON.stringify(attributes).slice(1, -1))}}]`)
  if (groupAccess !== null) {
    entries.push('embed_group_access=true', `embed_auth_provider=${encode(groupAccess.authProvider)}`, `embed_user_id=${encode(groupAccess.userId)}`)
    if (groupAccess.userImport) entries.push('embed_user_import=true')
  }
  if (anonymousGroup !== null) entries.push('embed_anonymous_token=true', `embed_authorize_group=${encode(anonymousGroup)}`)
  return entries
}

function assertMembers (field: string, value: unknown, known?: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${field}: must be an object`)
  if (known !== undefined && Object.keys(value).some((name) => !known.includes(name))) {
    throw new TypeError(`${field}: must have no members but ${known.join(', ')}`)
  }
}

function named (field: string, filters: EmbedFilters = {}, forbidden = ''): NamedFilter[] {
  return Object.entries(filters).map(([name, given]) => {
    if (KEYWORD.test(name)) throw new TypeError(`${field}: a name is a keyword of Bold BI; put its data source before it, as in "Northwind.id"`)
    plain(`${field}: a name`, name, '=[{|~<>!,')
    const place = `${field}[${JSON.stringify(name)}]`
    const isField = forbidden === ''
    const filter = checkedFilter(place, given, { forbidden, isField })
    if (!isField && !['=', 'IN', 'NOTIN'].includes(filter.operator)) throw new TypeError(`${place}: must be a value, isIn or isNotIn`)
    return { name, ...filter }
  })
}

function plain (field: string, value: unknown, forbidden = ''): string {
  assertPrintable(field, value, FORBIDDEN + forbidden)
  assertNotEncoded(field, value)
  if (value.trim() === '') throw new TypeError(`${field}: must not be empty`)
  return value
}

function encode (text: string): string {
  return encodeURI(text).replace(/[+';]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
