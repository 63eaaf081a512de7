import { setTimeout as sleep } from 'node:timers/promises'

import type { Msg, MsgHdrs, NatsConnection, Subscription } from '@nats-io/transport-node'

import type { NatsLink } from '../../../lib/nats/link.js'

export interface OutgoingMessage {
  subject: string
  /** What the broker tells repeats by. */
  id: string
  body: Uint8Array
  /** Called when the broker says that it has stored a message with this id before. */
  onDuplicate?: (() => void) | undefined
}

export interface PublisherOptions {
  connection: NatsConnection
  link: NatsLink
  /** Where the broker sends its answers; nobody else listens to what begins with it. */
  inbox: string
  /** Reused for all messages. */
  headers: MsgHdrs
  stream: string
  /** Milliseconds until messages that are not acknowledged are given up. */
  ackTimeout: number
}

type Outcome = 'acknowledged' | 'down' | 'late' | 'not ready' | Error

const MESSAGE_ID = 'Nats-Msg-Id'
const NO_RESPONDERS = 503
/** JetStream is starting, or between two leaders. */
const TEMPORARILY_UNAVAILABLE = 10008
const RETRY_PAUSE = 100

/**
 * Publishes messages all at once and waits for the acknowledgement of each. The client's own request would take a timer, a promise and
 * an error for each; here one subscription takes all answers, and a count tells when they are there.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #subscription: Subscription
  readonly #batches = new Map<number, Batch>()
  #numbers = 0

  constructor (options: PublisherOptions) {
    this.#options = options
    const { connection, inbox } = options
    this.#subscription = connection.subscribe(`${inbox}.>`, { callback: (error, message) => { if (error === null) this.#take(message) } })
  }

  /** Resolves when the stream has stored them all; what a lost connection left open is published again on the next. */
  async publish (messages: readonly OutgoingMessage[]): Promise<void> {
    const { link, stream, ackTimeout } = this.#options
    const start = performance.now()
    const number = this.#numbers++
    const batch = new Batch(messages, stream)
    this.#batches.set(number, batch)
    try {
      for (;;) {
        await link.whenUp(start + ackTimeout, ackTimeout)
        const outcome = batch.outcome(start + ackTimeout, link)
        try {
          this.#send(batch, number)
        } catch (error) {
          batch.fail(error)
        }
        const reached = await outcome
        if (reached === 'acknowledged') return
        if (reached instanceof Error) throw reached
        if (reached === 'late') {
          if (!batch.heard) link.doubt(start)
          throw new Error(`JetStream did not acknowledge within ${ackTimeout} ms`, { cause: link.lastError })
        }
        if (reached === 'not ready') await sleep(RETRY_PAUSE)
      }
    } finally {
      this.#batches.delete(number)
    }
  }

  close (): void {
    if (!this.#options.connection.isClosed()) this.#subscription.unsubscribe()
  }

  #send (batch: Batch, number: number): void {
    const { connection, headers, inbox } = this.#options
    for (const [at, { subject, id, body }] of batch.open()) {
      headers.set(MESSAGE_ID, id)
      connection.publish(subject, body, { headers, reply: `${inbox}.${number}.${at}` })
    }
  }

  #take (message: Msg): void {
    const [number, at] = message.subject.slice(this.#options.inbox.length + 1).split('.')
    this.#batches.get(Number(number))?.take(Number(at), message)
  }
}

/** Messages that are published together. */
class Batch {
  readonly #messages: readonly OutgoingMessage[]
  readonly #acknowledged: Uint8Array
  readonly #stream: string
  #left: number
  #heard = false
  #settle: (outcome: Outcome) => void = () => {}

  constructor (messages: readonly OutgoingMessage[], stream: string) {
    this.#messages = messages
    this.#acknowledged = new Uint8Array(messages.length)
    this.#stream = stream
    this.#left = messages.length
  }

  * open (): Generator<[number, OutgoingMessage]> {
    for (const [at, message] of this.#messages.entries()) if (this.#acknowledged[at] === 0) yield [at, message]
  }

  /** Whether there was any answer: where there was one, the connection works. */
  get heard (): boolean {
    return this.#heard
  }

  take (at: number, message: Msg): void {
    this.#heard = true
    if (this.#acknowledged[at] !== 0) return
    const refusal = this.#refusalIn(message, this.#messages[at]?.onDuplicate)
    if (refusal !== null) return this.#settle(refusal)
    this.#acknowledged[at] = 1
    if (--this.#left === 0) this.#settle('acknowledged')
  }

  fail (error: unknown): void {
    this.#settle(error instanceof Error ? error : new Error(String(error)))
  }

  /** What comes first: all acknowledged, a refusal, the loss of the connection, or a time, milliseconds by `performance.now`. */
  outcome (until: number, link: NatsLink): Promise<Outcome> {
    return new Promise((resolve) => {
      const down = () => this.#settle('down')
      const timer = setTimeout(() => this.#settle('late'), Math.max(0, until - performance.now()))
      link.once('down', down)
      this.#settle = (outcome) => {
        clearTimeout(timer)
        link.off('down', down)
        resolve(outcome)
      }
      if (this.#left === 0) this.#settle('acknowledged')
    })
  }

  /** `null`: it is an acknowledgement of the stream. */
  #refusalIn (message: Msg, onDuplicate: (() => void) | undefined): Outcome | null {
    if (message.data.length === 0) return message.headers?.code === NO_RESPONDERS ? 'not ready' : new Error('JetStream answered with nothing')
    const { error, stream, seq, duplicate } = read(message)
    if (error?.err_code === TEMPORARILY_UNAVAILABLE) return 'not ready'
    if (error !== undefined) return new Error(`JetStream refused an event: ${error.description ?? 'no reason given'}`)
    if (stream !== this.#stream) return new Error(`An event was acknowledged by something else than the stream "${this.#stream}"`)
    // A repeat of what the replicas have not agreed on yet has no place in the stream; it may never get one.
    if (seq === 0 && duplicate === true) return 'not ready'
    if (duplicate === true) onDuplicate?.()
    return typeof seq === 'number' && seq > 0 ? null : new Error('JetStream acknowledged an event without its place in the stream')
  }
}

interface PublishAnswer {
  error?: { err_code?: number, description?: string }
  stream?: string
  seq?: number
  duplicate?: boolean
}

function read (message: Msg): PublishAnswer {
  try {
    return message.json<PublishAnswer | null>() ?? {}
  } catch {
    return {}
  }
}
