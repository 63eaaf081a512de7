import type { FastifyInstance } from 'fastify'

import type { RefusedEvent } from '../../../../contracts/token-store/index.js'
import { exportRefusedEventsSchema } from '../../../../schemas/refused-event.js'
import type { RefusedEventExportQuery, RefusedEventItem } from '../../../../schemas/refused-event.js'
import { callerOf } from '../../admin-scope.js'
import { PERMISSIONS } from '../../permissions.js'
import { csvLine } from '../export/csv.js'
import type { ExportedList, SendExport } from '../export/index.js'
import { readExactParameters, refusedFilterOf, viewRefusedEvent } from './fields.js'

const COLUMNS: ReadonlyArray<keyof RefusedEventItem> = [
  'id', 'received_at', 'source_id', 'code', 'reason', 'origin', 'ip', 'user_agent', 'path', 'content_type', 'signed',
  'type', 'event', 'message_id', 'bytes', 'truncated', 'replayable', 'replayed_at', 'payload'
]
const CSV_HEADER = csvLine(COLUMNS)

/** Registers the route that sends refused events as a file of any length. */
export function refusedExportRoute (scope: FastifyInstance, sendExport: SendExport): void {
  const { refusedEvents } = scope.tokenStore

  scope.get<{ Querystring: RefusedEventExportQuery }>('/refused-events/export', {
    schema: exportRefusedEventsSchema,
    ...PERMISSIONS.readEvents,
    exposeHeadRoute: false,
    preValidation: readExactParameters
  }, async function exportRefusedEvents (request, reply) {
    await sendExport(request, reply, () => refusedOf(callerOf(request).org_id, request.query))
  })

  function refusedOf (orgId: string, query: RefusedEventExportQuery): ExportedList<RefusedEvent> {
    const filter = refusedFilterOf(query)
    return {
      name: 'refused-events',
      list: {
        list: (to, page) => refusedEvents.list(orgId, { ...filter, to }, page),
        to: filter.to,
        idOf: ({ id }) => id,
        timeOf: ({ receivedAt }) => receivedAt,
        timeOfId: async (text) => (await refusedEvents.get(orgId, text))?.receivedAt ?? null
      },
      records: { json: (event) => JSON.stringify(viewRefusedEvent(event)), csvHead: CSV_HEADER, csv: csvRecord },
      action: 'refused_events.exported',
      resourceType: 'refused_event'
    }
  }
}

/** Returns a refused event as a record of CSV. A property that is `null` is an empty cell. */
function csvRecord (event: RefusedEvent): string {
  const item = viewRefusedEvent(event)
  return csvLine(COLUMNS.map((name) => String(item[name] ?? '')))
}
