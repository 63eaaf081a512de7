// An export whose server is killed again and again; the client continues after the last complete line.
import type { Fleet } from '../routes/fleet.js'
import { download, signIn } from './download.js'

/** The end of the line of an event of this bench: its id, and the number in its message id. */
const END = /"id":"(evt_[\w-]{24})".*"messageId":"m(\d+)"/
const END_LENGTH = 400
/** Every event with a number that this divides belongs to another organisation. */
const OTHERS = 1_000

/** The events that a client has received. */
class Received {
  /** The `id` of the last event. */
  cursor: string | null = null
  isComplete = false
  count = 0
  readonly #seen: Uint8Array
  #rest = ''

  constructor (events: number) {
    this.#seen = new Uint8Array(events + 1)
  }

  /** Reads the complete lines of a part of the body. */
  add (chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#addLine(line)
  }

  /** Drops the incomplete line at the end of a connection that was cut. */
  cut (): void {
    this.#rest = ''
  }

  /** Throws if an event of the organisation has not come. */
  assertAll (): void {
    const missing = this.#seen.findIndex((seen, number) => number % OTHERS !== 0 && seen === 0)
    if (missing !== -1) throw new Error(`event ${missing} is missing`)
  }

  #addLine (line: string): void {
    const [, id, number] = END.exec(line.slice(-END_LENGTH)) ?? []
    if (id === undefined) {
      const { export: state } = JSON.parse(line) as { export: { complete: boolean } }
      this.isComplete = state.complete
      return
    }
    if (this.#seen[Number(number)] !== 0) throw new Error(`event ${number} came twice, or is not of this bench`)
    this.#seen[Number(number)] = 1
    this.cursor = id
    this.count++
  }
}

/** Downloads from one server until the export is complete or `killAt` events have come. */
async function downloadUntil (fleet: Fleet, received: Received, killAt: number): Promise<void> {
  const target = await fleet.get('built-in')
  const token = await signIn(target)
  try {
    for await (const chunk of download({ url: target.url, token, format: 'ndjson', cursor: received.cursor })) {
      received.add(chunk)
      if (received.count >= killAt) target.server.process.kill('SIGKILL')
    }
  } catch (error) {
    if (!target.server.process.killed) throw error
    received.cut()
  }
}

export async function * killedTable (start: () => Fleet, events: number, kills: number): AsyncGenerator<string> {
  const received = new Received(events)
  const began = performance.now()
  yield '| server | events until now | seconds until now |\n| ---: | ---: | ---: |'
  for (let server = 1; !received.isComplete; server++) {
    const fleet = start()
    try {
      await downloadUntil(fleet, received, server > kills ? Infinity : events * server / (kills + 1))
    } finally {
      await fleet.close()
    }
    if (server > kills && !received.isComplete) throw new Error('the last export ended early')
    yield `| ${server} | ${received.count} | ${((performance.now() - began) / 1_000).toFixed(0)} |`
  }
  received.assertAll()
  yield `\nEach of the ${received.count} events came exactly once, with ${kills} kills of the server.`
}
