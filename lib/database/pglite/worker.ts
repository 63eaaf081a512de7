import { parentPort, workerData } from 'node:worker_threads'

import type { PGlite, Results } from '@electric-sql/pglite'

import type { PgliteReply, PgliteRequest, PgliteWorkerData, WireError, WireParameter, WireResult } from './protocol.js'

// What PostgreSQL last said of its own failure: PGlite's error only says that it did not start.
let lastWords = ''

// Values pass untouched in both directions, so the types below are the only ones that PGlite sees.
const asItIs = (value: unknown) => value as string
const untouched = new Proxy<Record<number, typeof asItIs>>({}, { get: () => asItIs })

const { dataDir } = workerData as PgliteWorkerData

try {
  const { PGlite } = await import('@electric-sql/pglite')
  serve(await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    onStderr (line) {
      lastWords = listen(line)
      return false
    }
  }))
  reply({ ready: true })
} catch (error) {
  fail(error)
}

function serve (database: PGlite) {
  // Array types are read from the catalogue at the start; replace those parsers too.
  for (const type of Object.keys(database.parsers)) database.parsers[type] = asItIs

  parentPort?.on('message', (request: PgliteRequest) => {
    if ('close' in request) {
      database.close().catch(fail).finally(() => parentPort?.close())
    } else {
      answer(database, request.id, request.sql, request.params)
    }
  })
}

async function answer (database: PGlite, id: number, sql: string, params: readonly WireParameter[]) {
  try {
    const result = await run(database, sql, params)
    reply({ id, result: toWire(result), open: database.isInTransaction() })
  } catch (error) {
    const wire = toWireError(error)
    // Without a SQLSTATE it was not PostgreSQL that refused: the engine itself broke and nothing more can be trusted.
    if (wire.code === undefined) return fail(error)
    reply({ id, error: wire, open: database.isInTransaction() })
  }
}

/** As `pg` does: without parameters the simple protocol, which allows several statements; the last one's result counts. */
async function run (database: PGlite, sql: string, params: readonly WireParameter[]): Promise<Results> {
  const options = { rowMode: 'array', serializers: untouched } as const
  if (params.length > 0) return await database.query(sql, [...params], options)
  const results = await database.exec(sql, options)
  return results.at(-1) ?? { rows: [], fields: [] }
}

function toWire ({ command = '', rowCount, fields, rows }: Results): WireResult {
  return {
    command,
    rowCount: rowCount ?? null,
    fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    rows: rows as unknown as Array<Array<string | null>>
  }
}

function toWireError (error: unknown): WireError {
  if (!(error instanceof Error)) return { message: String(error) }
  const wire: WireError = { message: error.message }
  // The query and its parameters hang on the error as well and stay here: they may hold secrets.
  for (const [field, value] of Object.entries(error)) {
    if (typeof value === 'string' && field !== 'query') wire[field] = value
  }
  return wire
}

function fail (error: unknown) {
  const wire = toWireError(error)
  reply({ failed: lastWords === '' ? wire : { ...wire, message: lastWords } })
  parentPort?.close()
}

/** A fatal error and its detail; those of ordinary errors are not kept, as they quote data. */
function listen (line: string): string {
  const fatal = /(?:FATAL|PANIC):\s+(.*)/.exec(line)?.[1]
  if (fatal !== undefined) return fatal
  const detail = lastWords === '' ? undefined : /DETAIL:\s+(.*)/.exec(line)?.[1]
  return detail === undefined ? lastWords : `${lastWords}: ${detail.replace(/\.$/, '')}`
}

function reply (message: PgliteReply) {
  parentPort?.postMessage(message)
}
