import { INVALID_REQUEST } from '../../lib/errors.js'
import { EmbedQueryError, embedValue, parseEmbedQuery, withEmbedValue } from '../../signing/boldbi/query.js'
import type { EmbedQuery } from '../../signing/boldbi/query.js'
import { namedDashboards, namesIn } from './dashboards.js'

/**
 * The decoded query of a page, for the decision of the host. A property is `null` or an empty list if the query does
 * not contain it or contains an empty value.
 */
export interface EmbedDetails {
  /** The normalised address of the selected server. */
  server: string
  /**
   * All dashboards that the query names, by id or by path, including the dashboard of a pinned widget; distinct, at
   * most `maxDashboards`. Check each of them. Empty if the query names no dashboard, such as for a data source.
   */
  dashboards: readonly string[]
  dashboardId: string | null
  dashboardIds: readonly string[]
  dashboardPath: string | null
  dashboardPaths: readonly string[]
  /** The embed mode, one of the configured `modes`. */
  mode: string
  /** The saved view of the dashboard, by id or name. */
  view: { id: string | null, name: string | null }
  /** The embedded widgets, by name or id; empty for the whole dashboard. */
  widgets: readonly string[]
  /** The data source, by id or name. */
  datasource: { id: string | null, name: string | null }
  pinboard: string | null
  /** The parameters of a pinboard action, with the SDK's names. Empty unless the option `pinboard` is on. */
  pinboardAction: Readonly<Record<string, string>>
}

export interface EmbedLimits {
  /** Accepts the keys of pinboard actions. */
  pinboard: boolean
  /** Maximum lifetime, in milliseconds. */
  maxExpiration: number
  /** Maximum distinct dashboards of a query. */
  maxDashboards: number
}

export interface CheckedQuery {
  /** The query to sign, without the keys that the server adds. */
  query: EmbedQuery
  /** The nonce in lower case. */
  nonce: string
  details: EmbedDetails
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
const POSITIVE_INTEGER = /^[1-9]\d*$/
/** The default of the SDK, in seconds. */
const DEFAULT_EXPIRATION = 86_400
/** Maximum deviation of the browser's clock, in seconds. */
const CLOCK_TOLERANCE = 300
/** Maximum distinct widgets of a query. */
const MAX_WIDGETS = 500
const OUTSIDE_PINBOARD = /^(?:embed_|pinboard_name$|isMultiTab$)/

/**
 * Parses, checks and rebuilds the query of a browser. Adds a missing mode and expiration, limits the expiration to
 * `maxExpiration`, and replaces a timestamp that is more than five minutes off. `now` is in unix seconds. Throws
 * `INVALID_REQUEST`.
 */
export function checkQuery (
  text: string,
  server: string,
  { pinboard, maxExpiration, maxDashboards }: EmbedLimits,
  now: number
): CheckedQuery {
  const sent = parsed(text, pinboard)
  const nonce = embedValue(sent, 'embed_nonce')?.toLowerCase() ?? ''
  if (!UUID.test(nonce)) throw new INVALID_REQUEST({ message: 'embed_nonce must be a UUID' })
  const mode = valueOf(sent, 'embed_mode') ?? 'view'
  let query = withEmbedValue(sent, 'embed_mode', mode)
  query = withEmbedValue(query, 'embed_timestamp', String(timestampOf(sent, now)))
  query = withEmbedValue(query, 'embed_expirationtime', String(Math.min(expirationOf(sent), maxExpiration / 1000)))
  return { query, nonce, details: detailsOf(query, { server, mode, maxDashboards }) }
}

function parsed (text: string, pinboard: boolean): EmbedQuery {
  try {
    return parseEmbedQuery(text, { pinboard })
  } catch (error) {
    if (error instanceof EmbedQueryError) throw new INVALID_REQUEST({ message: error.message, reason: error.reason })
    throw error
  }
}

function expirationOf (query: EmbedQuery): number {
  const text = embedValue(query, 'embed_expirationtime')
  if (text === null) return DEFAULT_EXPIRATION
  if (!POSITIVE_INTEGER.test(text)) {
    throw new INVALID_REQUEST({ message: 'embed_expirationtime must be a positive integer' })
  }
  return Number(text)
}

function timestampOf (query: EmbedQuery, now: number): number {
  const text = valueOf(query, 'embed_timestamp')
  if (text === null) return now
  if (!POSITIVE_INTEGER.test(text)) {
    throw new INVALID_REQUEST({ message: 'embed_timestamp must be a time in unix seconds' })
  }
  return Math.abs(Number(text) - now) <= CLOCK_TOLERANCE ? Number(text) : now
}

function detailsOf (
  query: EmbedQuery,
  { server, mode, maxDashboards }: Pick<EmbedDetails, 'server' | 'mode'> & Pick<EmbedLimits, 'maxDashboards'>
): EmbedDetails {
  const value = (key: string): string | null => valueOf(query, key)
  const dashboardsIn = (key: string): string[] => namesIn(value(key) ?? '', maxDashboards, 'dashboards')
  const widgetsIn = (key: string): string[] => namesIn(value(key) ?? '', MAX_WIDGETS, 'widgets')
  const dashboardId = value('embed_dashboard_id')
  const dashboardIds = dashboardsIn('embed_dashboard_ids')
  const dashboardPath = value('embed_dashboard_path')
  const dashboardPaths = dashboardsIn('embed_dashboard_paths')
  const ids = [dashboardId, value('pinDashbooardId')].filter((id) => id !== null)
  return {
    server,
    dashboards: namedDashboards(
      [...ids, ...dashboardIds],
      dashboardPath === null ? dashboardPaths : [dashboardPath, ...dashboardPaths],
      maxDashboards
    ),
    dashboardId,
    dashboardIds,
    dashboardPath,
    dashboardPaths,
    mode,
    view: { id: value('embed_dashboardview_id'), name: value('embed_dashboardview_name') },
    widgets: [...widgetsIn('embed_widget_name'), ...widgetsIn('embed_widget_list')],
    datasource: { id: value('embed_datasource_id'), name: value('embed_datasource_name') },
    pinboard: value('pinboard_name'),
    pinboardAction: Object.fromEntries(
      query.filter(([key]) => !OUTSIDE_PINBOARD.test(key)).map(([key]) => [key, value(key) ?? ''])
    )
  }
}

function valueOf (query: EmbedQuery, key: string): string | null {
  return embedValue(query, key) || null
}
