import { members } from '../../../../../lib/json/scan.js'
import { eventJson } from '../../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../../contracts/event-sink.js'
import { csvLine } from '../../export/csv.js'

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

/** The first line of a CSV file. */
export const CSV_HEADER = csvLine(Object.keys(COLUMNS))

/** Returns an event as a record of CSV. Objects are JSON; a property that is absent or `null` is an empty cell. */
export function csvRecord (event: AcceptedEvent): string {
  const values = new Map(members(eventJson(event)).map(({ key, value }) => [key, value]))
  values.set('timestamp', JSON.stringify(new Date(event.timestamp).toISOString()))
  return csvLine(PROPERTIES.map((name) => textOf(values.get(name))))
}

function textOf (json: string | undefined): string {
  if (json === undefined || json === 'null') return ''
  return json.startsWith('"') ? JSON.parse(json) as string : json
}
