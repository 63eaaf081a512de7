import type { NamedFilter, CheckedIdentity, EmbedIdentity } from './identity.js'
import { checkIdentity } from './identity.js'

/** The server and site that an embed object is sent to; Bold BI also requires them inside the object. */
export interface EmbedObjectTarget {
  /** Such as `https://bi.example.com/bi`. */
  serverUrl: string
  /** Such as `site/site1`; empty in Bold BI's cloud. */
  siteIdentifier: string
}

/** Operators of the object form, a subset of the query's (Bold BI documentation, row-level security, version 14.1). */
const OPERATORS: Readonly<Record<string, string>> = { '=': '=', IN: 'IN', NOTIN: 'NOT IN' }

/** Syntax of the query form. Bold BI does not document how its object form reads these characters. */
const SYNTAX = /[,&|()<>]/

/**
 * Returns the JSON string with which Bold BI 14.1 and later is asked for an embed token. The object is not signed: it
 * contains the embed secret itself, the user and the dashboard, but no mode, expiry or nonce.
 *
 * @throws TypeError that names the field, for an identity that must not be sent or a filter that this form cannot
 * express.
 */
export function embedObject (
  identity: EmbedIdentity,
  dashboardId: string,
  { serverUrl, siteIdentifier }: EmbedObjectTarget,
  embedSecret: string
): string {
  if (embedSecret === '') throw new TypeError('embedSecret: must not be empty')
  const { user, parameters, fields, attributes, groupAccess, anonymousGroup } = checkIdentity(identity)
  const custom = Object.entries(attributes).map(([name, value]) => ({ name, value }))
  return JSON.stringify({
    serverurl: serverUrl,
    siteidentifier: siteIdentifier,
    email: user,
    embedsecret: embedSecret,
    dashboard: { id: dashboardId },
    ...fields.length > 0 && { datasourcefilters: fields.map((filter) => condition('datasourceFilter.fields', filter)) },
    ...parameters.length > 0 &&
      { dashboardparameters: parameters.map((filter) => condition('datasourceFilter.parameters', filter)) },
    ...custom.length > 0 && { customattributes: custom },
    ...groupAccess !== null && { groupbasedauthorization: group(groupAccess) },
    ...anonymousGroup !== null && { anonymous: { isenabled: true, groupname: anonymousGroup } }
  })
}

function condition (field: string, { name, operator, values }: NamedFilter): object {
  const known = OPERATORS[operator]
  const place = `${field}[${JSON.stringify(name)}]`
  if (known === undefined) throw new TypeError(`${place}: Bold BI's object form allows only a value, isIn and isNotIn`)
  if (values.some((value) => typeof value === 'string' && SYNTAX.test(value))) {
    throw new TypeError(
      `${place}: Bold BI documents no escape for ",", "&", "|", "(", ")", "<" and ">" in its object form; ` +
        'use transport "get" or "post"'
    )
  }
  return { name, value: operator === '=' ? values[0] : values, operator: known }
}

function group ({ authProvider, userId, userImport }: NonNullable<CheckedIdentity['groupAccess']>): object {
  return {
    isenabled: true,
    userid: userId,
    authprovidername: authProvider,
    ...userImport && { isenableduserimport: true }
  }
}
