import type { NamedFilter, CheckedIdentity, EmbedIdentity } from './identity.js'
import { checkedIdentity } from './identity.js'

/** Where an object goes, which Bold BI wants to read in it again. */
export interface EmbedObjectTarget {
  /** Such as `https://bi.example.com/bi`. */
  serverUrl: string
  /** Such as `site/site1`; empty in Bold BI's cloud. */
  siteIdentifier: string
}

/** The operators of the object form: fewer than the query has (Bold BI, page on row-level security from 14.1 on). */
const OPERATORS: Readonly<Record<string, string>> = { '=': '=', IN: 'IN', NOTIN: 'NOT IN' }

/** Syntax of the query form. Bold BI does not document how its object form reads it. */
const SYNTAX = /[,&|()<>]/

/**
 * The JSON text by which Bold BI from 14.1 on is asked for an embed token. It is not signed: it holds the embed secret itself, and says who
 * the user is and which dashboard is wanted, nothing of a mode, a life or a nonce.
 * Throws a TypeError that names the field for an identity that must not be sent, one with a filter that this form cannot say among them.
 */
export function embedObject (identity: EmbedIdentity, dashboardId: string, { serverUrl, siteIdentifier }: EmbedObjectTarget, embedSecret: string): string {
  if (embedSecret === '') throw new TypeError('embedSecret: must not be empty')
  const { user, parameters, fields, attributes, groupAccess, anonymousGroup } = checkedIdentity(identity)
  const custom = Object.entries(attributes).map(([name, value]) => ({ name, value }))
  return JSON.stringify({
    serverurl: serverUrl,
    siteidentifier: siteIdentifier,
    email: user,
    embedsecret: embedSecret,
    dashboard: { id: dashboardId },
    ...fields.length > 0 && { datasourcefilters: fields.map((filter) => condition('datasourceFilter.fields', filter)) },
    ...parameters.length > 0 && { dashboardparameters: parameters.map((filter) => condition('datasourceFilter.parameters', filter)) },
    ...custom.length > 0 && { customattributes: custom },
    ...groupAccess !== null && { groupbasedauthorization: group(groupAccess) },
    ...anonymousGroup !== null && { anonymous: { isenabled: true, groupname: anonymousGroup } }
  })
}

function condition (field: string, { name, operator, values }: NamedFilter): object {
  const known = OPERATORS[operator]
  const place = `${field}[${JSON.stringify(name)}]`
  if (known === undefined) throw new TypeError(`${place}: Bold BI's object form has only a value, isIn and isNotIn`)
  if (values.some((value) => typeof value === 'string' && SYNTAX.test(value))) {
    throw new TypeError(`${place}: Bold BI documents no escape for ",", "&", "|", "(", ")", "<" and ">" in its object form; use transport "get" or "post"`)
  }
  return { name, value: operator === '=' ? values[0] : values, operator: known }
}

function group ({ authProvider, userId, userImport }: NonNullable<CheckedIdentity['groupAccess']>): object {
  return { isenabled: true, userid: userId, authprovidername: authProvider, ...userImport && { isenableduserimport: true } }
}
