import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, GatehouseRouteConfig } from 'fastify'
import type { Registry } from 'prom-client'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { assertBoolean, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import { importOptional } from '../../lib/optional-package.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { UNTRACED } from '../../lib/trace.js'
import { metricsSchema } from '../../schemas/metrics.js'
import { limitAccess } from './access.js'
import { BackendCollector } from './backends.js'
import { createInstruments } from './instruments.js'
import type { Instruments } from './instruments.js'
import { processRegistry } from './process-metrics.js'
import { countRequests } from './requests.js'
import { scrape } from './scrape.js'
import { subscribeAll } from './subscriptions.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

/** The part of prom-client's `Registry` that the plugin uses. */
export interface MetricsRegistry {
  readonly contentType: string
  /** Resolves with all metrics in the format of `contentType`. */
  metrics (): Promise<string>
  getMetricsAsArray (): object[]
  registerMetric (metric: never): void
}

export interface MetricsOptions {
  /** Path of the metrics; `false` adds no route, so that the host serves `app.metricsRegistry`. Default: `/metrics`. */
  path?: string | false
  /**
   * Bearer token that a scraper sends, at least 32 characters; or a sync or async function that returns the current
   * token. Default: none, and only programs on this machine may read the metrics, without a proxy in between.
   */
  token?: SecretSource<string>
  /** Time after which a function given as `token` is called again, in milliseconds. Default: 2 000. */
  secretMaxAge?: number | undefined
  /** A `Registry` of prom-client, for a host with metrics of its own. Default: a new registry. */
  registry?: MetricsRegistry
  /** Adds the metrics of the process by prom-client, event-loop delay included. Default: `true` without `registry`. */
  processMetrics?: boolean
  /** The guard configuration of the route, such as `{ https: false }`. Default: none. */
  guards?: GatehouseRouteConfig
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The registry of the `metrics` plugin. */
    metricsRegistry: MetricsRegistry
  }
}

const KNOWN: KnownOptions<MetricsOptions> = {
  path: true,
  token: true,
  secretMaxAge: true,
  registry: true,
  processMetrics: true,
  guards: true
}
const assertOption: AssertOption = optionAssertion('metrics')

// Symbol.for, so that two copies of the package in one process see each other's registrations.
const OWNER: unique symbol = Symbol.for('fastify-gatehouse.metrics') as never

type Scope = FastifyInstance & { [OWNER]?: object }

/**
 * Counts requests, decisions of guards, events, look-ups and upstream calls of the scope, and serves the metrics to
 * Prometheus. Register it first: requests to scopes that were created before are not counted. Needs the package
 * prom-client. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(metrics, { token: process.env.METRICS_TOKEN })
 */
const metrics: FastifyPluginAsync<MetricsOptions> = async (app, options) => {
  refuseUnknownOptions('metrics', options, KNOWN)
  const { path = '/metrics', token, secretMaxAge, registry: hostRegistry, guards = {} } = options
  const { processMetrics = hostRegistry === undefined } = options
  assertOption(path === false || (typeof path === 'string' && path.startsWith('/')), 'path', 'false or a path', path)
  assertOption(hostRegistry === undefined || isRegistry(hostRegistry), 'registry', 'a Registry of prom-client')
  assertBoolean('metrics', 'processMetrics', processMetrics)
  if ((app as Scope)[OWNER] !== undefined) {
    throw new INVALID_OPTIONS('metrics: already registered in this scope or in a scope around it; register it once')
  }
  const client = await importOptional('prom-client', () => import('prom-client'), 'The metrics plugin')
  const registry = hostRegistry as Registry | undefined ?? new client.Registry()

  const owner = {}
  ;(app as Scope)[OWNER] = owner
  const backends = new BackendCollector(app)
  const instruments: Instruments = createInstruments(client, registry, backends.collectors(() => instruments))
  const unsubscribe = subscribeAll({
    instruments,
    counts: (server) => (server as Scope)[OWNER] === owner,
    sink: () => backends.sink
  })
  app.addHook('onClose', async () => unsubscribe())
  countRequests(app, instruments)
  app.decorate('metricsRegistry', registry)
  if (path === false) return

  const registries = processMetrics ? [registry, processRegistry(client)] : [registry]
  await routeScope(app, {}, async (scope) => {
    await limitAccess(scope, token, secretMaxAge)
    scope.get(path, {
      schema: metricsSchema,
      exposeHeadRoute: false,
      // A scraper calls every few seconds.
      logLevel: 'warn',
      config: { gatehouse: guards, ...UNTRACED }
    }, async function sendMetrics (request, reply) {
      const { contentType, body } = await scrape(client, registries, request.headers.accept)
      return reply.header('Cache-Control', 'no-store').type(contentType).send(body)
    })
  })
}

function isRegistry (value: unknown): boolean {
  return typeof (value as Partial<MetricsRegistry> | null)?.registerMetric === 'function'
}

export default fp(metrics, { name: 'gatehouse-metrics', fastify: '5.x' })
export type { SecretSource } from '../../lib/secrets/secret-source.js'
