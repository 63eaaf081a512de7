import { parentPort, workerData } from 'node:worker_threads'

import type { PGlite, Results } from '@electric-sql/pglite'

import type { PgliteReply, PgliteRequest, PgliteWorkerData, WireError, WireParameter, WireResult } from './protocol.js'

// The last fatal message of PostgreSQL: PGlite's own error only says that it did not start.
let lastFatalMessage = ''

// Parameters and values stay in PostgreSQL's text format; the main thread converts them.
const identity = (value: unknown) => value as string
const rawSerializers = new Proxy<Record<number, typeof identity>>({}, { get: () => identity })

const { dataDir } = workerData as PgliteWorkerData

try {
  const { PGlite } = await import('@electric-sql/pglite')
  serve(await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    onStderr (line) {
      lastFatalMessage = readFatalMessage(line)
      return false
    }
  }))
  reply({ ready: true })
} catch (error) {
  fail(error)
}

function serve (database: PGlite) {
  // PGlite adds parsers for array types at start-up; replaces those as well.
  for (const type of Object.keys(database.parsers)) database.parsers[type] = identity

  parentPort?.on('message', (request: PgliteRequest) => {
    if ('close' in request) {
      database.close().catch(fail).finally(() => parentPort?.close())
    } else {
      respond(database, request.id, request.sql, request.params)
    }
  })
}

async function respond (database: PGlite, id: number, sql: string, params: readonly WireParameter[]) {
  try {
    const result = await run(database, sql, params)
    reply({ id, result: toWire(result), inTransaction: database.isInTransaction() })
  } catch (error) {
    const wire = toWireError(error)
    // An error without an SQLSTATE comes from the engine, which cannot be trusted after it.
    if (wire.code === undefined) return fail(error)
    reply({ id, error: wire, inTransaction: database.isInTransaction() })
  }
}

/** As in `pg`, a query without parameters may hold several statements; the result of the last one is returned. */
async function run (database: PGlite, sql: string, params: readonly WireParameter[]): Promise<Results> {
  const options = { rowMode: 'array', serializers: rawSerializers } as const
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
  // Leaves out the query and its parameters, which may contain secrets.
  for (const [field, value] of Object.entries(error)) {
    if (typeof value === 'string' && field !== 'query') wire[field] = value
  }
  return wire
}

function fail (error: unknown) {
  const wire = toWireError(error)
  reply({ failed: lastFatalMessage === '' ? wire : { ...wire, message: lastFatalMessage } })
  parentPort?.close()
}

/** Returns the last fatal message with its detail. Skips ordinary errors, whose messages quote data. */
function readFatalMessage (line: string): string {
  const fatal = /(?:FATAL|PANIC):\s+(.*)/.exec(line)?.[1]
  if (fatal !== undefined) return fatal
  const detail = lastFatalMessage === '' ? undefined : /DETAIL:\s+(.*)/.exec(line)?.[1]
  return detail === undefined ? lastFatalMessage : `${lastFatalMessage}: ${detail.replace(/\.$/, '')}`
}

function reply (message: PgliteReply) {
  parentPort?.postMessage(message)
}
