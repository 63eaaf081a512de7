import type { Gauge, Registry } from 'prom-client'

import { METRICS } from './definitions.js'
import type { MetricDefinition, MetricName } from './definitions.js'
import type { Series } from './series.js'
import { counterTotals, histogramTotals } from './totals.js'
import type { Distribution, Total } from './totals.js'

/** The package, which is optional and imported at registration. */
export type PromClient = typeof import('prom-client')

/** The metrics of one registration. */
export type Instruments = {
  readonly [Name in MetricName]: {
    counter: Series<Total>
    gauge: Gauge
    histogram: Series<Distribution>
  }[typeof METRICS[Name]['type']]
}

/** Functions that update a metric before it is read. */
export type Collectors = Partial<Record<MetricName, () => void>>

/** Creates all metrics in a registry. Throws if the registry already has one of them. */
export function createInstruments (client: PromClient, registry: Registry, collectors: Collectors): Instruments {
  const instrumentOf = ([key, definition]: [string, MetricDefinition]) => {
    const { type, name, help, labels } = definition
    const collect = collectors[key as MetricName]
    if (type === 'counter') return [key, counterTotals(registry, definition, collect)]
    if (type === 'histogram') return [key, histogramTotals(registry, definition)]
    const updating = collect === undefined ? {} : { collect }
    return [key, new client.Gauge({ name, help, labelNames: [...labels], registers: [registry], ...updating })]
  }
  return Object.fromEntries(Object.entries<MetricDefinition>(METRICS).map(instrumentOf)) as Instruments
}
