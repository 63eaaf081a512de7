import { setTimeout as sleep } from 'node:timers/promises'

import type { Msg, MsgHdrs, NatsConnection, Subscription } from '@nats-io/transport-node'

import type { NatsLink } from '../../../lib/nats/link.js'

/** A message to publish. */
export interface OutgoingMessage {
  subject: string
  /** The `Nats-Msg-Id`, by which the broker detects duplicates. */
  id: string
  body: Uint8Array
  /** Called when the broker reports that it stored a message with this id before. */
  onDuplicate?: (() => void) | undefined
}

export interface PublisherOptions {
  connection: NatsConnection
  link: NatsLink
  /** Prefix of the subjects for the broker's responses; only this publisher subscribes to it. */
  inbox: string
  /** Headers object, reused for all messages. */
  headers: MsgHdrs
  stream: string
  /** Milliseconds until publishing unacknowledged messages fails. */
  ackTimeout: number
}

type Outcome = 'acknowledged' | 'down' | 'late' | 'not ready' | Error

const MESSAGE_ID = 'Nats-Msg-Id'
const NO_RESPONDERS = 503
/** JetStream is starting or electing a leader. */
const TEMPORARILY_UNAVAILABLE = 10008
const RETRY_PAUSE = 100

/**
 * Publishes many messages at once and waits for all acknowledgements. The client's `request` would create a timer, a
 * promise and an error per message; here one subscription receives all responses and a counter tracks them.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #subscription: Subscription
  readonly #batches = new Map<number, Batch>()
  #numbers = 0

  constructor (options: PublisherOptions) {
    this.#options = options
    const { connection, inbox } = options
    this.#subscription = connection.subscribe(`${inbox}.>`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message)
      }
    })
  }

  /**
   * Resolves when the stream has stored all messages, with the number of messages that it had before. After a lost
   * connection the unacknowledged ones are sent again, and may then count as stored before.
   */
  async publish (messages: readonly OutgoingMessage[]): Promise<number> {
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
        const result = await outcome
        if (result === 'acknowledged') return batch.duplicates
        if (result instanceof Error) throw result
        if (result === 'late') {
          if (!batch.hasResponse) link.doubt(start)
          throw new Error(`JetStream did not acknowledge within ${ackTimeout} ms`, { cause: link.lastError })
        }
        if (result === 'not ready') await sleep(RETRY_PAUSE)
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
    for (const [at, { subject, id, body }] of batch.pending()) {
      headers.set(MESSAGE_ID, id)
      connection.publish(subject, body, { headers, reply: `${inbox}.${number}.${at}` })
    }
  }

  #receive (message: Msg): void {
    const [number, at] = message.subject.slice(this.#options.inbox.length + 1).split('.')
    this.#batches.get(Number(number))?.receive(Number(at), message)
  }
}

/** The messages of one `publish` call. */
class Batch {
  readonly #messages: readonly OutgoingMessage[]
  readonly #acknowledged: Uint8Array
  readonly #stream: string
  #left: number
  #hasResponse = false
  #duplicates = 0
  #settle: (outcome: Outcome) => void = () => {}

  constructor (messages: readonly OutgoingMessage[], stream: string) {
    this.#messages = messages
    this.#acknowledged = new Uint8Array(messages.length)
    this.#stream = stream
    this.#left = messages.length
  }

  * pending (): Generator<[number, OutgoingMessage]> {
    for (const [at, message] of this.#messages.entries()) if (this.#acknowledged[at] === 0) yield [at, message]
  }

  /** Whether the broker has responded to any message, which shows that the connection works. */
  get hasResponse (): boolean {
    return this.#hasResponse
  }

  /** Number of messages that the broker had stored before. */
  get duplicates (): number {
    return this.#duplicates
  }

  receive (at: number, message: Msg): void {
    this.#hasResponse = true
    if (this.#acknowledged[at] !== 0) return
    const refusal = this.#refusalIn(message, this.#messages[at]?.onDuplicate)
    if (refusal !== null) return this.#settle(refusal)
    this.#acknowledged[at] = 1
    if (--this.#left === 0) this.#settle('acknowledged')
  }

  fail (error: unknown): void {
    this.#settle(error instanceof Error ? error : new Error(String(error)))
  }

  /**
   * Resolves with the first of: all acknowledged, a refusal, a lost connection, or the time `until`
   * (`performance.now`).
   */
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

  /** Returns `null` if the message is an acknowledgement of the stream. */
  #refusalIn (message: Msg, onDuplicate: (() => void) | undefined): Outcome | null {
    if (message.data.length === 0) {
      return message.headers?.code === NO_RESPONDERS
        ? 'not ready'
        : new Error('JetStream sent an empty response')
    }
    const { error, stream, seq, duplicate } = read(message)
    if (error?.err_code === TEMPORARILY_UNAVAILABLE) return 'not ready'
    if (error !== undefined) return new Error(`JetStream refused an event: ${error.description ?? 'no reason given'}`)
    if (stream !== this.#stream) return new Error(`Another stream than "${this.#stream}" acknowledged an event`)
    // A duplicate of a message that the replicas have not confirmed yet has no sequence, and may never get one.
    if (seq === 0 && duplicate === true) return 'not ready'
    if (duplicate === true) {
      this.#duplicates++
      onDuplicate?.()
    }
    return typeof seq === 'number' && seq > 0
      ? null
      : new Error('JetStream acknowledged an event without a stream sequence')
  }
}

interface PublishResponse {
  error?: { err_code?: number, description?: string }
  stream?: string
  seq?: number
  duplicate?: boolean
}

function read (message: Msg): PublishResponse {
  try {
    return message.json<PublishResponse | null>() ?? {}
  } catch {
    return {}
  }
}
