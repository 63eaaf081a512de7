import type { FastifyInstance } from 'fastify'

import type { AcceptedEvent } from '../../../../../contracts/event-sink.js'
import { eventJson } from '../../../../../plugins/event-sink/event-view.js'
import { publicId, receivedAtOf } from '../../../../../plugins/event-sink/public-id.js'
import { exportEventsSchema } from '../../../../../schemas/event-export.js'
import type { EventExportQuery } from '../../../../../schemas/event-export.js'
import { callerOf } from '../../../admin-scope.js'
import { PERMISSIONS } from '../../../permissions.js'
import type { ExportedList, SendExport } from '../../export/index.js'
import { eventFilterOf, readExactParameters } from '../event-filter.js'
import { readableSink } from '../readable-sink.js'
import { CSV_HEADER, csvRecord } from './csv.js'

/** Registers the route that sends stored events as a file of any length. */
export function exportRoute (scope: FastifyInstance, sendExport: SendExport): void {
  scope.get<{ Querystring: EventExportQuery }>('/events/export', {
    schema: exportEventsSchema,
    ...PERMISSIONS.readEvents,
    exposeHeadRoute: false,
    preValidation: readExactParameters
  }, async function exportEvents (request, reply) {
    await sendExport(request, reply, () => eventsOf(callerOf(request).org_id, request.query))
  })

  function eventsOf (orgId: string, query: EventExportQuery): ExportedList<AcceptedEvent> {
    const sink = readableSink(scope)
    const filter = eventFilterOf(query)
    return {
      name: 'events',
      list: {
        list: (to, page) => sink.list(orgId, { ...filter, to }, page),
        to: filter.to,
        idOf: publicId,
        timeOf: ({ receivedAt }) => receivedAt,
        timeOfId: receivedAtOf
      },
      records: { json: eventJson, csvHead: CSV_HEADER, csv: csvRecord },
      action: 'events.exported',
      resourceType: 'event'
    }
  }
}
