import { members } from '../../../../../lib/json/scan.js'
import { eventJson } from '../../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../../contracts/event-sink.js'

/** The columns, each with the property of the event that it contains. */
const COLUMNS = {
  id: 'id',
  received_at: 'receivedAt',
  timestamp: 'timestamp',
  type: 'type',
  event: 'event',
  name: 'name',
  message_id: 'messageId',
  user_id: 'userId',
  anonymous_id: 'anonymousId',
  group_id: 'groupId',
  source_id: 'sourceId',
  auth_method: 'authMethod',
  environment: 'environment',
  ip: 'ip',
  user_agent: 'userAgent',
  properties: 'properties',
  traits: 'traits',
  context: 'context'
} as const
const PROPERTIES = Object.values(COLUMNS)

/** Spreadsheets read a cell that starts so as a formula, also in full-width characters. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/

/** The first line of a CSV file. */
export const CSV_HEADER = `${Object.keys(COLUMNS).join(',')}\r\n`

/**
 * Returns an event as a record of CSV (RFC 4180). Objects are JSON; a property that is absent or `null` is an empty
 * cell. A cell that a spreadsheet would read as a formula starts with an apostrophe.
 */
export function csvRecord (event: AcceptedEvent): string {
  const values = new Map(members(eventJson(event)).map(({ key, value }) => [key, value]))
  values.set('timestamp', JSON.stringify(new Date(event.timestamp).toISOString()))
  return `${PROPERTIES.map((name) => cell(textOf(values.get(name)))).join(',')}\r\n`
}

function textOf (json: string | undefined): string {
  if (json === undefined || json === 'null') return ''
  return json.startsWith('"') ? JSON.parse(json) as string : json
}

function cell (text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
