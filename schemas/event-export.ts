import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { eventQuery } from './event-list.js'

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const
export type ExportFormat = typeof EXPORT_FORMATS[number]

/** The parameters of an export beside its filters. */
export const exportQuery = {
  format: Type.Unsafe<ExportFormat>({
    type: 'string', enum: [...EXPORT_FORMATS], default: 'ndjson', description: 'The format of the file'
  }),
  cursor: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 1024,
    description: 'Continues an export with the same filters and format: the `id` of the last event that was received ' +
      'completely, or the `cursor` of a line about the export'
  }))
}

export const EventExportQuerySchema = Type.Object({ ...eventQuery, ...exportQuery }, { additionalProperties: false })
export type EventExportQuery = Static<typeof EventExportQuerySchema>

const NDJSON = `One event per line, newest first, in the form of the list. Lines without an \`id\` are about the
export: \`{"export":{"complete":false,"count":…,"cursor":"…"}}\` at times without events, and a last line with
\`complete\`, \`count\`, \`cursor\` and \`reason\`. Without a last line with \`"complete":true\`, continue with \`cursor\`.`

const CSV = `RFC 4180 with a header line, newest event first. A response whose connection is closed before its end is not
complete; continue with the \`id\` of the last complete record.`

const file = (description: string) => ({ schema: Type.String({ description }) })

/** The responses of an export. */
export const exportReplies = {
  200: {
    description: 'The file, compressed if `Accept-Encoding` allows gzip',
    content: { 'application/x-ndjson': file(NDJSON), 'text/csv': file(CSV) }
  },
  ...errorReplies(400, 401, 403, 404, 429, 500, 503)
}
export const EXPORT_END = 'The stream ends when the access token expires or is revoked, and when the server closes.'

export const exportEventsSchema = {
  operationId: 'exportEvents',
  summary: 'Export the stored events of the organisation as a file',
  description: EXPORT_END,
  tags: ['admin events'],
  querystring: EventExportQuerySchema,
  response: exportReplies
}
