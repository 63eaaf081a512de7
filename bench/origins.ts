import Fastify from 'fastify'

import { sourcePreflight } from '../plugins/source-cors.js'
import { memoryStore } from '../plugins/token-store/memory.js'
import tokenStore from '../plugins/token-store/index.js'
import { SOURCE_DEFAULTS } from '../plugins/token-store/source-settings.js'
import { generatePipelineKey } from '../signing/pipeline-key.js'
import { generateSecret } from '../signing/secret-strength.js'

// A preflight carries no key, so that it asks for the origins of all sources: what the first one costs, one after a change, and any other.
const SOURCES = 500
const DOMAINS = 100

const store = memoryStore()
const app = Fastify()
await app.register(tokenStore, { store })
sourcePreflight(app, '/x')
let id = ''
for (let at = 0; at < SOURCES; at++) {
  const domains = Array.from({ length: DOMAINS }, (_, page) => `${page % 10 === 0 ? '*.' : ''}shop-${page}.customer-${at}.example`)
  const source = { ...SOURCE_DEFAULTS, orgId: 'acme', name: 'Shop', domains, pipelineKey: generatePipelineKey('live'), serverSecret: generateSecret() }
  id = (await store.sources.create(source)).id
}

const first = await preflight()
const changed = []
for (let at = 0; at < 20; at++) {
  await store.sources.update('acme', id, { domains: [`new-${at}.example`] })
  changed.push(await preflight())
}
const others = []
for (let at = 0; at < 2_000; at++) others.push(await preflight())
console.log(`${SOURCES} sources x ${DOMAINS} domains: first preflight ${show(first)}, after a change ${show(median(changed))}, any other ${show(median(others))}`)
await app.close()

async function preflight (): Promise<number> {
  const began = process.cpuUsage()
  const { statusCode } = await app.inject({
    method: 'OPTIONS', url: '/x', headers: { origin: 'https://www.shop-10.customer-7.example', 'access-control-request-method': 'POST' }
  })
  if (statusCode !== 204) throw new Error(`a preflight was ${statusCode}`)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1_000
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

function show (milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`
}
