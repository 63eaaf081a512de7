// Exports all stored events of an organisation from the built-in server on PostgreSQL.
import { parseArgs } from 'node:util'

import { openDatabase } from '../../lib/database/open-database.js'
import { ORG } from '../growth/sizes.js'
import { fillLists } from '../lists-fill.js'
import { describeHost, withPostgres } from '../rounds.js'
import { createSecrets, Fleet } from '../routes/fleet.js'
import { killedTable } from './killed.js'
import { memoryTable } from './memory.js'

const HELP = `npm run bench:export -- [events] [killed] [options]
  events              stored events; default 1000000
  killed              kills the server with SIGKILL during the download, and checks that each event came exactly once
  --format <format>   ndjson, "ndjson gzip" or csv; may be repeated; default all. Only for exports that are not killed
  --kills <number>    kills of the server; default 5
  --flag=<flag>       a flag of Node.js for the server, such as --trace-gc; may be repeated`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    format: { type: 'string', multiple: true, default: ['ndjson', 'ndjson gzip', 'csv'] },
    kills: { type: 'string', default: '5' },
    flag: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean' }
  }
})
const events = Number(positionals.find((word) => word !== 'killed') ?? 1_000_000)
if (!(events >= 1_000)) throw new Error('Export at least 1000 events')

/** In this process, so that the server has only the memory of a server that exports. */
async function fill (url: string): Promise<void> {
  const database = await openDatabase({ url })
  try {
    await fillLists(database, { events, orgId: ORG })
  } finally {
    await database.close()
  }
}

async function run (url: string): Promise<void> {
  console.log(`${describeHost()}\n`)
  await fill(url)
  const secrets = createSecrets()
  const start = () => new Fleet(url, { shared: true, secrets, flags: values.flag })
  const table = positionals.includes('killed')
    ? killedTable(start, events, Number(values.kills))
    : memoryTable(start, events, values.format)
  for await (const line of table) console.log(line)
}

if (values.help === true) console.log(HELP)
else await withPostgres(run)
