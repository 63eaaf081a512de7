import { Counter, Histogram, Registry } from 'prom-client'
import t from 'tap'

import { scrape } from '../../../plugins/metrics/scrape.js'
import { counterTotals, histogramTotals } from '../../../plugins/metrics/totals.js'

const client = await import('prom-client')
const COUNTER = { type: 'counter', name: 'shop_orders_total', help: 'Orders.', labels: ['outcome', 'code'] } as const
const HISTOGRAM = {
  type: 'histogram',
  name: 'shop_order_seconds',
  help: 'Time of an order.',
  labels: ['route'],
  buckets: [0.001, 0.5, 1, 2.5]
} as const
const PLAIN = { ...HISTOGRAM, name: 'shop_order_items', help: 'Items.', labels: [] }
const ORDERS: ReadonlyArray<[outcome: string, code: string | undefined, count: number]> = [
  ['accepted', undefined, 3], ['refused', 'a "quoted"\\code\n', 1], ['refused', 'B', 0], ['accepted', undefined, 0.5]
]
const TIMES = [0, 0.001, 0.0010001, 0.5, 0.7, 1, 2.5, 2.6, 1_000]

interface Sample { metricName?: string | null, labels: object, value: number }

/** The same values in metrics of prom-client and in the totals. */
function registries (): { expected: Registry, actual: Registry } {
  const expected = new Registry()
  const actual = new Registry()
  const registers = [expected]
  const counter = new Counter({ name: COUNTER.name, help: COUNTER.help, labelNames: COUNTER.labels, registers })
  const { name, help, buckets } = HISTOGRAM
  const histogram = new Histogram({ name, help, labelNames: HISTOGRAM.labels, buckets: [...buckets], registers })
  const plain = new Histogram({ name: PLAIN.name, help: PLAIN.help, buckets: [...buckets], registers })
  const counterSeries = counterTotals(actual, COUNTER)
  const histogramSeries = histogramTotals(actual, HISTOGRAM)
  const plainSeries = histogramTotals(actual, PLAIN)
  for (const [outcome, code, count] of ORDERS) {
    counter.inc({ outcome, ...code === undefined ? {} : { code } }, count)
    counterSeries.at(outcome, code).add(count)
  }
  for (const time of TIMES) {
    histogram.observe({ route: time < 1 ? '/a' : '/b' }, time)
    histogramSeries.at(time < 1 ? '/a' : '/b').observe(time)
    if (time > 0.6) plain.observe(time)
    if (time > 0.6) plainSeries.at().observe(time)
  }
  return { expected, actual }
}

t.test('a scrape of totals has the same text as one of the metrics of prom-client', async (t) => {
  const { expected, actual } = registries()
  for (const accept of [undefined, 'application/openmetrics-text', undefined]) {
    const [wanted, found] = await Promise.all([expected, actual].map((registry) => scrape(client, [registry], accept)))
    t.equal(found?.body, wanted?.body, accept ?? 'text')
  }
  t.equal(await actual.metrics(), await expected.metrics())
})

t.test('the values are in the JSON of the registry, which the processes of a cluster exchange', async (t) => {
  const { expected, actual } = registries()
  const valuesOf = async (registry: Registry) =>
    (await registry.getMetricsAsJSON()).map(({ name, help, type, aggregator, values }) => ({
      name,
      help,
      type,
      aggregator,
      values: (values as Sample[]).map(({ metricName = null, labels, value }) => ({ metricName, labels, value }))
    }))
  t.same(await valuesOf(actual), await valuesOf(expected))
  const merged = client.AggregatorRegistry.aggregate([await actual.getMetricsAsJSON(), await actual.getMetricsAsJSON()])
  t.match(await merged.metrics(), 'shop_orders_total{outcome="accepted"} 7')
})

t.test('a reset of the registry sets the totals to 0 and they count on', async (t) => {
  const actual = new Registry()
  const orders = counterTotals(actual, COUNTER)
  const times = histogramTotals(actual, HISTOGRAM)
  const order = orders.at('accepted')
  order.add(5)
  times.at('/a').observe(0.2)
  actual.resetMetrics()
  t.match(await actual.metrics(), /^shop_orders_total\{outcome="accepted"\} 0$/m)
  t.match(await actual.metrics(), /^shop_order_seconds_sum\{route="\/a"\} 0$/m)
  order.add()
  t.match(await actual.metrics(), /^shop_orders_total\{outcome="accepted"\} 1$/m)
})

t.test('a name that the registry of the host already has is refused', async (t) => {
  const registry = new Registry()
  counterTotals(registry, COUNTER)
  t.throws(() => counterTotals(registry, COUNTER), /already been registered/)
})
