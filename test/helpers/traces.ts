import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AlwaysOnSampler, InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { ReadableSpan, Sampler } from '@opentelemetry/sdk-trace-node'
import type { Test } from 'tap'

export interface RecordedTraces {
  /** For the options of the tracing plugin. */
  tracerProvider: NodeTracerProvider
  /** The ended spans, in the order of their ends. */
  spans(): ReadableSpan[]
  /** Returns the only span with this name. */
  only(name: string): ReadableSpan
  /** The lines of the tree of one trace: two spaces per level, siblings in the order of their starts. */
  tree(root: ReadableSpan): string[]
  /** Everything that is recorded of the spans, as a string. */
  text(): string
}

/** Records traces in memory, without an SDK for the whole process; only the context manager is global until the end. */
export function recordTraces (t: Test, sampler: Sampler = new AlwaysOnSampler()): RecordedTraces {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new NodeTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(async () => {
    context.disable()
    await tracerProvider.shutdown()
  })
  const spans = () => exporter.getFinishedSpans()
  const idOf = (span: ReadableSpan) => span.spanContext().spanId

  function tree (root: ReadableSpan, indent = ''): string[] {
    const children = spans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === idOf(root))
    const sorted = children.sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
    return [indent + root.name, ...sorted.flatMap((child) => tree(child, `${indent}  `))]
  }

  return {
    tracerProvider,
    spans,
    only (name) {
      const [found, ...others] = spans().filter((span) => span.name === name)
      if (found === undefined || others.length > 0) {
        throw new Error(`not one span ${name}: ${spans().map((span) => span.name).join(', ')}`)
      }
      return found
    },
    tree,
    text: () =>
      JSON.stringify(spans().map(({ name, attributes, events, links, status, resource }) => {
        return { name, attributes, events, links, status, resource: resource.attributes }
      }))
  }
}
