import { readFile } from 'node:fs/promises'

import t from 'tap'

import { CHANNELS } from '../../lib/channels.js'
import { METRICS } from '../../plugins/metrics/definitions.js'
import { ROOT } from '../helpers/docs-pages.js'

const PREFIX = 'gatehouse_'
const page = await readFile(new URL('docs/metrics.md', ROOT), 'utf8')

t.test('docs/metrics.md lists every metric with its type and its labels', async (t) => {
  const section = page.slice(page.indexOf('<!-- metrics -->'), page.indexOf('## Scraping'))
  const listed = [...section.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]+) \|/gm)].map(([, name, type, labels = '']) => ({
    name: `${PREFIX}${name}`,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)
  }))
  t.same(listed, Object.values(METRICS).map(({ name, type, labels }) => ({ name, type, labels })))
})

t.test('docs/metrics.md lists every channel', async (t) => {
  const listed = [...page.matchAll(/^\| `(fastify-gatehouse\.\w+)` \|/gm)].map(([, name]) => name)
  t.same(listed, Object.values(CHANNELS).map(({ name }) => name))
})
