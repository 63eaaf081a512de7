import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { acceptedCodings } from '../../../../../lib/http/accepted-codings.js'
import { exportEventsSchema } from '../../../../../schemas/event-export.js'
import type { EventExportQuery } from '../../../../../schemas/event-export.js'
import { callerOf } from '../../../admin-scope.js'
import { PERMISSIONS } from '../../../permissions.js'
import { sealedCursors } from '../../page-request.js'
import { eventFilterOf, readExactParameters } from '../event-filter.js'
import { readableSink } from '../readable-sink.js'
import { ActiveExports } from './active-exports.js'
import { Download } from './download.js'
import { EventExport } from './event-export.js'
import { FORMATS } from './format.js'
import { exportLimits } from './options.js'
import type { ExportOptions } from './options.js'
import { exportPages } from './pages.js'

type ExportRequest = FastifyRequest<{ Querystring: EventExportQuery }>

/** Registers the route that sends stored events as a file of any length. */
export function exportRoute (scope: FastifyInstance, options: ExportOptions, now: () => number): void {
  const exports = new ActiveExports(exportLimits(options), scope.server)
  scope.addHook('preClose', async () => exports.close())

  scope.get<{ Querystring: EventExportQuery }>('/events/export', {
    schema: exportEventsSchema,
    ...PERMISSIONS.readEvents,
    exposeHeadRoute: false,
    preValidation: readExactParameters
  }, async function exportEvents (request, reply) {
    const leave = exports.admit(callerOf(request).org_id)
    try {
      await send(request, reply)
    } finally {
      leave()
    }
  })

  async function send (request: ExportRequest, reply: FastifyReply): Promise<void> {
    const { format: name, cursor, ...query } = request.query
    const format = FORMATS[name]
    const isCompressed = acceptedCodings(request.headers['accept-encoding'])('gzip')
    const running = new EventExport(format, cursor ?? null)
    const pages = exportPages({
      sink: readableSink(scope),
      orgId: callerOf(request).org_id,
      filter: eventFilterOf(query),
      cursor,
      cursors: sealedCursors(request),
      signal: running.signal
    })
    // Errors of the first page become an error response.
    const { value: first } = await pages.next()
    // Disables the handler timeout of Fastify for the stream.
    reply.hijack()
    if (first === undefined || reply.raw.destroyed) return
    const file = `events-${new Date(now()).toISOString().slice(0, 10)}.${name}`
    reply.headers({
      'content-type': format.contentType,
      'content-disposition': `attachment; filename="${file}"`,
      vary: [reply.getHeader('vary') ?? [], 'Accept-Encoding'].flat().join(', '),
      // No `Connection: close`: with it, the fetch of Node.js takes a connection that is cut for the end of the file.
      'x-content-type-options': 'nosniff',
      // nginx would read ahead of a client that reads slowly.
      'x-accel-buffering': 'no',
      ...isCompressed ? { 'content-encoding': 'gzip' } : {}
    })
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
    const unwatch = exports.watch(request, running)
    const outcome = await running.run(new Download(reply.raw, isCompressed), first, pages)
    unwatch()
    if (running.failure !== null) request.log.error({ err: running.failure }, 'the export of events failed')
    scope.audit({
      action: 'events.exported',
      request,
      resourceType: 'event',
      changes: { format: name, ...query, continued: cursor !== undefined, count: running.count, outcome }
    })
  }
}
