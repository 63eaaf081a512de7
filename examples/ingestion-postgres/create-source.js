// node --env-file=.env create-source.js <name> [<origin of a page> …]: creates a source and prints its keys once.
import { generatePipelineKey, generateServerSecret } from 'fastify-gatehouse/signing'
import { SOURCE_DEFAULTS } from 'fastify-gatehouse/token-store'

import { openStore } from './store.js'

const [name, ...domains] = process.argv.slice(2)
if (name === undefined) throw new Error('Usage: create-source.js <name> [<origin of a page> …]')

const { database, store } = await openStore(process.env)
const [pipelineKey, serverSecret] = [generatePipelineKey('live'), generateServerSecret()]
await store.sources.create({ ...SOURCE_DEFAULTS, orgId: 'default', name, domains, pipelineKey, serverSecret })
await store.close()
await database.close()
console.log(`Pipeline key:  ${pipelineKey}\nServer secret: ${serverSecret}`)
