import type { FastifyInstance } from 'fastify'

/** The samples of a scrape. */
export interface Samples {
  /** The sum of all samples of a name whose labels contain these values; 0 for none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
  /** The names of all series. */
  names: ReadonlySet<string>
  /** Number of series. */
  series: number
  /** The values of a label, over all series of a name. */
  values(name: string, label: string): string[]
}

interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}

/** Reads the text format of Prometheus. */
export function samplesOf (text: string): Samples {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map(sampleOf)
  const matching = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    samples.filter((sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    )
  return {
    sum: (name, labels) => matching(name, labels).reduce((sum, { value }) => sum + value, 0),
    names: new Set(samples.map(({ name }) => name)),
    series: samples.length,
    values: (name, label) => [...new Set(matching(name).flatMap(({ labels }) => labels[label] ?? []))].sort()
  }
}

/** Scrapes an app from loopback. */
export async function scraped (app: FastifyInstance): Promise<Samples> {
  const { statusCode, body } = await app.inject('/metrics')
  if (statusCode !== 200) throw new Error(`/metrics responded with ${statusCode}: ${body}`)
  return samplesOf(body)
}

function sampleOf (line: string): Sample {
  const [, name = '', , labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === '') throw new Error(`not a sample: ${line}`)
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text])),
    value: Number(value === '+Inf' ? Infinity : value)
  }
}
