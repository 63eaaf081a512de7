import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import t from 'tap'

import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'

interface WrittenSpan {
  name: string
  traceId: string
  spanId: string
  parentId?: string
  links: string[]
}

/** An SDK as `node --import` loads it; writes a line per span to a file. */
const sdkOf = (file: string) => `
import { appendFileSync } from 'node:fs'
import { NodeTracerProvider, BatchSpanProcessor } from '${import.meta.resolve('@opentelemetry/sdk-trace-node')}'

const exporter = {
  export (spans, done) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext()
      const links = span.links.map(({ context }) => context.spanId)
      const { name, attributes, events, parentSpanContext } = span
      const line = { name, traceId, spanId, parentId: parentSpanContext?.spanId, links, attributes, events }
      appendFileSync(${JSON.stringify(file)}, JSON.stringify(line) + '\\n')
    }
    done({ code: 0 })
  },
  async shutdown () {}
}
new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register()
`

t.test('the built-in server traces an event to its flush if an SDK is loaded by NODE_OPTIONS', async (t) => {
  const folder = await temporaryFolder(t)
  const [sdk, file] = [join(folder, 'sdk.mjs'), join(folder, 'spans.jsonl')]
  await writeFile(sdk, sdkOf(file))
  await writeFile(file, '')
  const server = await startServerProcess(t, join(folder, 'data'), { NODE_OPTIONS: `--import=${pathToFileURL(sdk).href}` })
  const key = /\bdk_\w+/.exec(server.stdout())?.[0] ?? ''
  const response = await fetch(`${server.origin}/v1/t`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'SECRET-1', userId: 'SECRET-2' })
  })
  t.equal(response.status, 200)
  t.equal((await server.stop()).code, 0)

  const text = await readFile(file, 'utf8')
  const spans = text.trimEnd().split('\n').map((line) => JSON.parse(line) as WrittenSpan)
  const request = spans.find(({ name }) => name === 'POST /v1/t')
  t.ok(request)
  const children = spans.filter(({ parentId }) => parentId === request?.spanId).map(({ name }) => name)
  t.same(children.sort(), ['guard pipelineKey', 'sink write'])
  t.ok(spans.some(({ name, traceId }) => name === 'lookup source' && traceId === request?.traceId))
  t.same(spans.filter(({ name }) => name === 'sink flush').map(({ links }) => links), [[request?.spanId]])
  t.match(server.stdout(), `"trace_id":"${request?.traceId}"`)
  t.ok(key)
  for (const secret of [key, 'SECRET']) t.notMatch(text, secret)
})
