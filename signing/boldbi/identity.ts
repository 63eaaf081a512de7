import { assertNotEncoded } from './filter-escape.js'
import { checkFilter, formatFilter } from './filter.js'
import type { CheckedFilter, EmbedFilters } from './filter.js'
import { assertPrintable } from '../printable.js'

export type { EmbedFilters } from './filter.js'

/** The user that a dashboard is embedded for, and the data that this user may see. Only the host sets these fields. */
export interface EmbedIdentity {
  /** The e-mail address of the Bold BI user. Give either `email` or `username`. */
  email?: string
  /** The name of the Bold BI user, for users without an e-mail address. */
  username?: string
  /**
   * Row-level filters. `parameters` are dashboard parameters (`&&name=value` in Bold BI's syntax) and allow only a
   * value, `isIn` and `isNotIn`. `fields` filter data-source fields (`&name=value`). A list means `isIn`; create other
   * conditions with `embedFilter`. Bold BI silently ignores a filter with an unknown name, so test each filter.
   */
  datasourceFilter?: { parameters?: EmbedFilters, fields?: EmbedFilters }
  /**
   * Values of custom attributes. Bold BI inserts them unescaped into queries and connection strings, so never pass a
   * value that a user can choose.
   */
  customAttributes?: Readonly<Record<string, string>>
  /**
   * Group-based authorization by an identity provider whose groups are imported into Bold BI. `userImport` also creates
   * the user in Bold BI. Default of `userImport`: `false`.
   */
  groupAccess?: { authProvider: string, userId: string, userImport?: boolean }
  /** Embeds for a user that Bold BI does not know, with the permissions of one Bold BI group. */
  anonymous?: { group: string }
}

export interface NamedFilter extends CheckedFilter {
  name: string
}

/** A validated identity that is safe to write into a query. */
export interface CheckedIdentity {
  user: string
  parameters: readonly NamedFilter[]
  fields: readonly NamedFilter[]
  attributes: Readonly<Record<string, string>>
  groupAccess: { authProvider: string, userId: string, userImport: boolean } | null
  anonymousGroup: string | null
}

/** Characters that would end a value or the filter around it in one of the parsers that read the query. */
const FORBIDDEN = '&#]}'
/** Bold BI inserts dashboard parameters into the SQL of a query. */
const QUERY_SYNTAX = '\'"`;\\'
/** `tenant` and `issuedAt` are used only for revocation checks and are never signed. */
const PROPERTIES = ['email', 'username', 'datasourceFilter', 'customAttributes', 'groupAccess', 'anonymous', 'tenant',
  'issuedAt']
/** Names that Bold BI reads as its own settings; a filter with such a name would be ignored. */
const KEYWORD = new RegExp(
  `^\\s*(?:embed_.*|${
    [
      'id',
      'comment',
      'tab',
      'showmydashboards',
      'viewid',
      'ismultitab',
      'bi_theme',
      'multitabid',
      'hide_header',
      'hide_tool',
      'hide_widget_tool',
      'isembed',
      'views',
      'export',
      'dashboard_comments',
      'widget_comments?'
    ].join('|')
  })\\s*$`,
  'i'
)

/** Validates an identity. Throws a TypeError that names the field and never contains its value. */
export function checkIdentity (identity: EmbedIdentity): CheckedIdentity {
  const { email, username, datasourceFilter, customAttributes = {}, groupAccess, anonymous } = identity
  // Ignoring a misspelt filter would show the user all rows.
  assertProperties('identity', identity, PROPERTIES)
  assertProperties('datasourceFilter', datasourceFilter, ['parameters', 'fields'])
  assertProperties('datasourceFilter.parameters', datasourceFilter?.parameters)
  assertProperties('datasourceFilter.fields', datasourceFilter?.fields)
  assertProperties('customAttributes', customAttributes)
  assertProperties('groupAccess', groupAccess, ['authProvider', 'userId', 'userImport'])
  assertProperties('anonymous', anonymous, ['group'])
  if ((email === undefined) === (username === undefined)) {
    throw new TypeError('email: give either "email" or "username"')
  }
  for (const [name, value] of Object.entries(customAttributes)) {
    checkString('customAttributes: a name', name)
    assertPrintable('customAttributes: a value', value, FORBIDDEN)
    assertNotEncoded('customAttributes: a value', value)
  }
  return {
    user: checkString(email === undefined ? 'username' : 'email', email ?? username),
    parameters: checkFilters('datasourceFilter.parameters', datasourceFilter?.parameters, QUERY_SYNTAX),
    fields: checkFilters('datasourceFilter.fields', datasourceFilter?.fields),
    attributes: customAttributes,
    groupAccess: groupAccess === undefined
      ? null
      : {
          authProvider: checkString('groupAccess.authProvider', groupAccess.authProvider),
          userId: checkString('groupAccess.userId', groupAccess.userId),
          userImport: groupAccess.userImport === true
        },
    anonymousGroup: anonymous === undefined ? null : checkString('anonymous.group', anonymous.group)
  }
}

/**
 * Returns the identity as `key=value` strings, the user first. Values are percent-encoded like `encodeURI` does, plus
 * `+`, `'` and `;`. The brackets, braces and ampersands around filters stay unencoded, as in Bold BI's samples.
 *
 * @throws TypeError that names the field and never contains its value.
 */
export function identityEntries (identity: EmbedIdentity): [string, ...string[]] {
  const { user, parameters, fields, attributes, groupAccess, anonymousGroup } = checkIdentity(identity)
  const entries: [string, ...string[]] = [`embed_user_email=${encode(user)}`]
  const filters = [
    ...parameters.map((filter) => `&&${formatFilter(filter.name, filter)}`),
    ...fields.map((filter) => `&${formatFilter(filter.name, filter)}`)
  ]
  if (filters.length > 0) entries.push(`embed_datasource_filter=[{${encode(filters.join(''))}}]`)
  if (Object.keys(attributes).length > 0) {
    entries.push(`embed_custom_attribute=[{${encode(JSON.stringify(attributes).slice(1, -1))}}]`)
  }
  if (groupAccess !== null) {
    entries.push(
      'embed_group_access=true',
      `embed_auth_provider=${encode(groupAccess.authProvider)}`,
      `embed_user_id=${encode(groupAccess.userId)}`
    )
    if (groupAccess.userImport) entries.push('embed_user_import=true')
  }
  if (anonymousGroup !== null) {
    entries.push('embed_anonymous_token=true', `embed_authorize_group=${encode(anonymousGroup)}`)
  }
  return entries
}

function assertProperties (field: string, value: unknown, known?: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${field}: must be an object`)
  }
  if (known !== undefined && Object.keys(value).some((name) => !known.includes(name))) {
    throw new TypeError(`${field}: has an unknown property; the known properties are ${known.join(', ')}`)
  }
}

function checkFilters (field: string, filters: EmbedFilters = {}, forbidden = ''): NamedFilter[] {
  return Object.entries(filters).map(([name, filterValue]) => {
    if (KEYWORD.test(name)) {
      throw new TypeError(`${field}: a name is a keyword of Bold BI; prefix it with its data source: "Northwind.id"`)
    }
    checkString(`${field}: a name`, name, '=[{|~<>!,')
    const place = `${field}[${JSON.stringify(name)}]`
    const isField = forbidden === ''
    const filter = checkFilter(place, filterValue, { forbidden, isField })
    if (!isField && !['=', 'IN', 'NOTIN'].includes(filter.operator)) {
      throw new TypeError(`${place}: must be a value, isIn or isNotIn`)
    }
    return { name, ...filter }
  })
}

function checkString (field: string, value: unknown, forbidden = ''): string {
  assertPrintable(field, value, FORBIDDEN + forbidden)
  assertNotEncoded(field, value)
  if (value.trim() === '') throw new TypeError(`${field}: must not be empty`)
  return value
}

function encode (text: string): string {
  return encodeURI(text).replace(/[+';]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
