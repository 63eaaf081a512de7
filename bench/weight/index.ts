// Measures the weight of the package: the time and memory of each plugin in a process that registers only it, what
// `npm install fastify-gatehouse fastify` brings, and how long the built-in server takes to start.
import { parseArgs } from 'node:util'

import { describeHost } from '../rounds.js'
import { installTable } from './install.js'
import { pluginTable } from './plugins.js'
import { startTable } from './start.js'

const HELP = `npm run bench:weight -- [options]
  --only <tables>     comma-separated: plugins, install, start; default all
  --rounds <number>   processes of each plugin and starts of each database; default 5`

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'plugins,install,start' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean' }
  }
})
const rounds = Number(values.rounds)

if (values.help === true) console.log(HELP)
else {
  console.log(`${describeHost()}, medians of ${rounds}\n`)
  for (const [name, table] of Object.entries({ plugins: pluginTable, install: installTable, start: startTable })) {
    if (values.only.split(',').includes(name)) console.log(`${(await table(rounds)).join('\n')}\n`)
  }
}
