import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { acceptedCodings } from '../../../../lib/http/accepted-codings.js'
import type { ExportFormat } from '../../../../schemas/event-export.js'
import { callerOf } from '../../admin-scope.js'
import { sealedCursors } from '../page-request.js'
import { ActiveExports } from './active-exports.js'
import { Download } from './download.js'
import { formatOf } from './format.js'
import type { Records } from './format.js'
import { exportLimits } from './options.js'
import type { ExportOptions } from './options.js'
import { exportPages } from './pages.js'
import type { ExportList } from './pages.js'
import { RunningExport } from './running-export.js'

/** The query of a route that exports a list. */
export interface ExportQuery {
  format: ExportFormat
  cursor?: string
}

/** A list as a file. */
export interface ExportedList<Item> {
  /** The start of the file's name. */
  name: string
  list: ExportList<Item>
  records: Omit<Records<Item>, 'idOf'>
  /** The audit entry. */
  action: string
  resourceType: string
}

/** Sends a list as a file of any length. */
export type SendExport = <Item>(
  request: FastifyRequest<{ Querystring: ExportQuery }>,
  reply: FastifyReply,
  listOf: () => ExportedList<Item>
) => Promise<void>

/** Returns the function that sends lists as files. All routes of the scope share its limits. */
export function exporter (scope: FastifyInstance, options: ExportOptions, now: () => number): SendExport {
  const exports = new ActiveExports(exportLimits(options), scope.server)
  scope.addHook('preClose', async () => exports.close())

  async function send<Item> (
    request: FastifyRequest<{ Querystring: ExportQuery }>,
    reply: FastifyReply,
    { name, list, records, action, resourceType }: ExportedList<Item>
  ): Promise<void> {
    const { format: formatName, cursor, ...query } = request.query
    const format = formatOf(formatName, { ...records, idOf: list.idOf })
    const isCompressed = acceptedCodings(request.headers['accept-encoding'])('gzip')
    const running = new RunningExport(format, cursor ?? null)
    const pages = exportPages({ list, cursor, cursors: sealedCursors(request), signal: running.signal })
    // Errors of the first page become an error response.
    const { value: first } = await pages.next()
    // Disables the handler timeout of Fastify for the stream.
    reply.hijack()
    if (first === undefined || reply.raw.destroyed) return
    const file = `${name}-${new Date(now()).toISOString().slice(0, 10)}.${formatName}`
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
      action,
      request,
      resourceType,
      changes: { format: formatName, ...query, continued: cursor !== undefined, count: running.count, outcome }
    })
  }

  return async (request, reply, listOf) => {
    const leave = exports.admit(callerOf(request).org_id)
    try {
      await send(request, reply, listOf())
    } finally {
      leave()
    }
  }
}
