import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

import { METRICS } from './definitions.js'
import type { MetricDefinition, MetricName } from './definitions.js'

/** The package, which is optional and imported at registration. */
export type PromClient = typeof import('prom-client')

/** The metrics of one registration. */
export type Instruments = {
  readonly [Name in MetricName]: {
    counter: Counter
    gauge: Gauge
    histogram: Histogram
  }[typeof METRICS[Name]['type']]
}

/** Functions that update a metric before it is read. */
export type Collectors = Partial<Record<MetricName, () => void>>

/** Creates all metrics in a registry. Throws if the registry already has one of them. */
export function createInstruments (client: PromClient, registry: Registry, collectors: Collectors): Instruments {
  const metricOf = ([key, definition]: [string, MetricDefinition]) => {
    const { type, name, help, labels, buckets = [] } = definition
    const collect = collectors[key as MetricName]
    const common = {
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      ...collect === undefined ? {} : { collect }
    }
    if (type === 'counter') return [key, new client.Counter(common)]
    if (type === 'gauge') return [key, new client.Gauge(common)]
    return [key, new client.Histogram({ ...common, buckets: [...buckets] })]
  }
  return Object.fromEntries(Object.entries<MetricDefinition>(METRICS).map(metricOf)) as Instruments
}
