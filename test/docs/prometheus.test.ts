import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import t from 'tap'
import type { Test } from 'tap'
import { parse } from 'yaml'

import { METRICS } from '../../plugins/metrics/definitions.js'
import { findBinary } from '../helpers/find-binary.js'
import { samplesOf } from '../helpers/metrics.js'
import { demoApp } from '../helpers/server-app.js'
import { withoutService } from '../helpers/services.js'

const ROOT = new URL('../../', import.meta.url)
const ALERTS = 'deploy/prometheus/alerts.yaml'
const DASHBOARD = 'deploy/grafana/gatehouse.json'
const METRIC = /\b(?:gatehouse|nodejs|process)_\w+/g
const run = promisify(execFile)

interface Rules { groups: Array<{ rules: Array<{ alert: string, expr: string }> }> }

const read = (path: string) => readFile(new URL(path, ROOT), 'utf8')
const rules = (parse(await read(ALERTS)) as Rules).groups.flatMap(({ rules }) => rules)

async function promtool (test: Test): Promise<string | null> {
  return await findBinary('promtool') ?? withoutService(test, 'no promtool on this machine (package prometheus)')
}

t.test('every metric of the alerts and of the dashboard is in a scrape of the built-in server', async (t) => {
  const { app } = await demoApp(t)
  const { body } = await app.inject('/metrics')
  const declared = new Map([...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type]) => [name, type]))
  const expressions = [...rules.map(({ expr }) => expr), await read(DASHBOARD)]
  const used = new Set(expressions.flatMap((text) => text.match(METRIC) ?? []))
  t.ok(used.size > 15)
  for (const name of used) {
    const base = name.replace(/_(?:bucket|sum|count)$/, '')
    t.ok(declared.has(name) || declared.get(base) === 'histogram', name)
  }
  for (const { name } of Object.values(METRICS)) t.ok([...used].some((one) => one.startsWith(name)), `${name} is shown`)
  t.ok(samplesOf(body).names.has('nodejs_eventloop_lag_p99_seconds'))
})

t.test('each label that the alerts select is a label of its metric', async (t) => {
  const labels = new Map<string, readonly string[]>()
  for (const metric of Object.values(METRICS)) {
    const ends = metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    for (const end of ends) labels.set(metric.name + end, metric.labels)
  }
  for (const text of [...rules.map(({ expr }) => expr), JSON.stringify(JSON.parse(await read(DASHBOARD)))]) {
    for (const [, name = '', selector = ''] of text.replaceAll('\\"', '"').matchAll(/(gatehouse_\w+)\{([^}]*)\}/g)) {
      const selected = [...selector.matchAll(/(\w+)\s*=~?/g)].map(([, label]) => label)
      const known = ['job', 'instance', ...labels.get(name) ?? []]
      t.same(selected.filter((label) => !known.includes(label ?? '')), [], `${name}{${selector}}`)
    }
  }
})

t.test('docs/metrics.md lists every alert', async (t) => {
  const listed = [...(await read('docs/metrics.md')).matchAll(/^\| `(Gatehouse\w+)` \|/gm)].map(([, name]) => name)
  t.same(listed, rules.map(({ alert }) => alert))
})

t.test('promtool accepts the rules, and the alerts fire when they should', async (t) => {
  const binary = await promtool(t)
  if (binary === null) return
  const folder = fileURLToPath(new URL('deploy/prometheus/', ROOT))
  t.match((await run(binary, ['check', 'rules', 'alerts.yaml'], { cwd: folder })).stdout, /SUCCESS: \d+ rules found/)
  t.match((await run(binary, ['test', 'rules', 'alerts.test.yaml'], { cwd: folder })).stdout, 'SUCCESS')
})

t.test('promtool accepts the names, types and help of the metrics', async (t) => {
  const binary = await promtool(t)
  if (binary === null) return
  const { app } = await demoApp(t)
  await app.inject('/healthz')
  const { body } = await app.inject('/metrics')
  // prom-client's own gauges end in "_total", which the lint of promtool refuses.
  const own = body.split('\n\n').filter((metric) => metric.includes('gatehouse_')).join('\n')
  const checking = run(binary, ['check', 'metrics'])
  checking.child.stdin?.end(`${own}\n`)
  const { stdout, stderr } = await checking
  t.equal(stdout + stderr, '')
})
