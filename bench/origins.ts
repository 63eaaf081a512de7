import Fastify from 'fastify'

import { sourcePreflight } from '../lib/cors/source-cors.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import tokenStore from '../plugins/token-store/index.js'
import { freezeOrigins, SOURCE_DEFAULTS } from '../plugins/token-store/source-settings.js'
import { generatePipelineKey } from '../signing/datafly/pipeline-key.js'
import { generateSecret } from '../signing/secret-strength/index.js'

// A preflight carries no key, so that it asks for the origins of all sources: what the first one costs, one after a
// change, one after the same list was read again (as from a database), and any other. Then how long each of them holds
// the event loop at most.
const SOURCES = 500
const DOMAINS = 100

type Measure = (preflight: () => Promise<void>) => Promise<number>

for (const [name, measure] of [['processor time', processorTime], ['longest hold', longestBlock]] as const) {
  console.log(`${name}: ${await measured(measure)}`)
}

async function measured (measure: Measure): Promise<string> {
  const store = memoryStore()
  const app = Fastify()
  await app.register(tokenStore, { store })
  sourcePreflight(app, '/x')
  await app.ready()
  let id = ''
  for (let at = 0; at < SOURCES; at++) {
    const domains = Array.from(
      { length: DOMAINS },
      (_, page) => `${page % 10 === 0 ? '*.' : ''}shop-${page}.customer-${at}.example`
    )
    const secrets = { pipelineKey: generatePipelineKey('live'), serverSecret: generateSecret() }
    id = (await store.sources.create({ ...SOURCE_DEFAULTS, orgId: 'acme', name: 'Shop', domains, ...secrets })).id
  }
  const preflight = async () => {
    const { statusCode } = await app.inject({
      method: 'OPTIONS',
      url: '/x',
      headers: { origin: 'https://www.shop-10.customer-7.example', 'access-control-request-method': 'POST' }
    })
    if (statusCode !== 204) throw new Error(`a preflight was ${statusCode}`)
  }

  // Warm-up: the cost of the very first request does not count.
  await app.inject({ method: 'OPTIONS', url: '/x' })
  const first = await measure(preflight)
  const changed = []
  for (let at = 0; at < 20; at++) {
    await store.sources.update('acme', id, { domains: [`new-${at}.example`] })
    changed.push(await measure(preflight))
  }
  const others = []
  for (let at = 0; at < 2_000; at++) others.push(await measure(preflight))
  const list = await store.sources.origins()
  const again = []
  for (let at = 0; at < 20; at++) {
    const fresh = Object.freeze(list.map(freezeOrigins))
    Object.defineProperty(store.sources, 'origins', { value: () => fresh, configurable: true })
    again.push(await measure(preflight))
  }
  await app.close()
  return `${SOURCES} sources x ${DOMAINS} domains: first preflight ${show(first)}, after a change ${
    show(median(changed))
  }, ` +
    `after a refresh ${show(median(again))}, any other ${show(median(others))}`
}

async function processorTime (preflight: () => Promise<void>): Promise<number> {
  const began = process.cpuUsage()
  await preflight()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1_000
}

/** Measures the longest time between two iterations of the event loop. */
async function longestBlock (preflight: () => Promise<void>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  let next = setImmediate(function again () {
    tick()
    next = setImmediate(again)
  })
  await preflight()
  clearImmediate(next)
  tick()
  return longest
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

function show (milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`
}
