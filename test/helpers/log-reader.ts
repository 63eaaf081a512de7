import { Writable } from 'node:stream'

export interface LogReader {
  /** For `Fastify({ logger: { level: 'trace', stream } })`. */
  stream: Writable
  /** All that was logged, as text. */
  text(): string
  lines(): Array<Record<string, unknown>>
}

/** Keeps what an app logs. */
export function logReader (): LogReader {
  const chunks: string[] = []
  return {
    stream: new Writable({
      write (chunk: Buffer, _encoding, done) {
        chunks.push(chunk.toString())
        done()
      }
    }),
    text: () => chunks.join(''),
    lines: () =>
      chunks.join('').split('\n').filter((line) => line !== '').map((line) =>
        JSON.parse(line) as Record<string, unknown>
      )
  }
}
