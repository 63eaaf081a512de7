import type { Metric, Registry, RegistryContentType } from 'prom-client'

import type { PromClient } from './instruments.js'

/** A response to a scrape. */
export interface Scrape {
  contentType: string
  body: string
}

type Labelled = Registry & { _defaultLabels?: object }

const OPEN_METRICS = 'application/openmetrics-text'
const TEXT = 'text/plain'

/**
 * Returns the metrics of several registries, in OpenMetrics if the `Accept` header prefers it, else in the text format
 * of Prometheus.
 */
export async function scrape (
  { Registry }: PromClient,
  registries: readonly Registry[],
  accept: string | undefined
): Promise<Scrape> {
  const contentType: RegistryContentType = prefersOpenMetrics(accept)
    ? Registry.OPENMETRICS_CONTENT_TYPE
    : Registry.PROMETHEUS_CONTENT_TYPE
  const merged = new Registry() as Registry<RegistryContentType>
  merged.setContentType(contentType)
  // prom-client has no public way to read the default labels of a registry.
  merged.setDefaultLabels(Object.assign({}, ...registries.map((registry) => (registry as Labelled)._defaultLabels)))
  for (const registry of registries) {
    // prom-client renames counters when it writes OpenMetrics, so it gets objects of its own that inherit the rest.
    for (const metric of registry.getMetricsAsArray()) {
      merged.registerMetric(Object.create(metric, { name: { value: metric.name, writable: true } }) as Metric)
    }
  }
  return { contentType, body: await merged.metrics() }
}

/** Returns whether the header gives OpenMetrics at least the weight of the text format. */
function prefersOpenMetrics (accept = ''): boolean {
  return weightOf(accept, OPEN_METRICS) > 0 && weightOf(accept, OPEN_METRICS) >= weightOf(accept, TEXT)
}

function weightOf (accept: string, type: string): number {
  let highest = 0
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (name !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    highest = Math.max(highest, weight === undefined ? 1 : Number(weight.slice(2)) || 0)
  }
  return highest
}
