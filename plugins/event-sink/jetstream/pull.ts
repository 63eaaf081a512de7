import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'

import { waitAtMost } from '../../../lib/deadline.js'
import type { NatsLink } from '../../../lib/nats/link.js'

/** Options of `Puller`. */
export interface PullerOptions {
  connection: NatsConnection
  link: NatsLink
  /** Prefix of the subjects for the broker's messages; only this puller subscribes to it. */
  inbox: string
  stream: string
  durable: string
  /** Maximum number of messages per request. */
  batch: number
  /** Called when the broker refuses to deliver messages. */
  onRefusal: (reason: string) => void
}

const EXPIRY = 10_000
/** Extra time for a response in transit, milliseconds. */
const GRACE = 2_000
const PAUSE = 500
/** Maximum wait for a hung broker on `stop`, milliseconds. */
const STOP_TIMEOUT = 2_000
/** Maximum bytes per request, except a single larger message: a message may contain a whole flush. */
const MAX_BYTES = 8 * 1024 * 1024
const NANOS = 1_000_000
const TOO_LARGE = /exceeds maxbytes/i
const NO_RESPONDERS = 503

/**
 * Pulls messages from a durable consumer with one open request at a time. While the caller stores a batch, the next one
 * arrives, so that the batch size follows the speed of the sink.
 */
export class Puller {
  readonly #options: PullerOptions
  readonly #subscription: Subscription
  #arrived: Msg[] = []
  /** Number of messages that the open request may still deliver; 0: no request is open. */
  #remaining = 0
  #requests = 0
  #expiresAt = 0
  #nextIsLarge = false
  #pauseUntil = 0
  #stopping = false
  #finished = false
  #wake: () => void = () => {}

  constructor (options: PullerOptions) {
    this.#options = options
    const { connection, inbox, link } = options
    this.#subscription = connection.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message)
      }
    })
    link.on('up', this.#forgetRequest)
  }

  /** Resolves with the messages since the last call, at least one; with none only after `stop`. */
  async next (): Promise<Msg[]> {
    while (!this.#finished && this.#arrived.length === 0) {
      const now = performance.now()
      if (this.#stopping) await this.#waitForWake(EXPIRY)
      else if (now < this.#pauseUntil) await this.#waitForWake(this.#pauseUntil - now)
      else if (!this.#options.link.up) await this.#waitForWake(PAUSE)
      else {
        if (this.#remaining === 0 || now >= this.#expiresAt) this.#request(now)
        await this.#waitForWake(this.#expiresAt - now)
      }
    }
    const messages = this.#arrived
    this.#arrived = []
    // Requests the next messages now, so that they arrive while these are stored.
    if (!this.#stopping && this.#remaining === 0 && this.#options.link.up && performance.now() >= this.#pauseUntil) {
      this.#request(performance.now())
    }
    return messages
  }

  /**
   * Sends no further request and resolves when all messages in transit have arrived. Storing them is better than
   * returning them: nats-server 2.9 holds returned messages until `ackWait` while a request of a disconnected client is
   * open.
   */
  async stop (): Promise<void> {
    const { connection, link } = this.#options
    this.#stopping = true
    link.off('up', this.#forgetRequest)
    if (link.up) await waitAtMost(this.#subscription.drain().catch(() => {}), STOP_TIMEOUT)
    else if (!connection.isClosed()) this.#subscription.unsubscribe()
    this.#finished = true
    this.#wake()
  }

  #request (now: number): void {
    const { connection, inbox, stream, durable, batch } = this.#options
    const limits = this.#nextIsLarge ? { batch: 1 } : { batch, max_bytes: MAX_BYTES }
    this.#remaining = limits.batch
    this.#nextIsLarge = false
    this.#expiresAt = now + EXPIRY + GRACE
    connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
      JSON.stringify({ ...limits, expires: EXPIRY * NANOS }),
      { reply: `${inbox}.${++this.#requests}` }
    )
  }

  #receive (message: Msg): void {
    // A stream message has an acknowledgement subject; any other message is a status of the request.
    if (message.reply?.startsWith('$JS.ACK.') === true) {
      this.#arrived.push(message)
      this.#remaining = Math.max(0, this.#remaining - 1)
    } else if (message.subject === `${this.#options.inbox}.${this.#requests}`) {
      this.#end(message)
    }
    this.#wake()
  }

  #end ({ headers }: Msg): void {
    const empty = this.#arrived.length === 0
    this.#remaining = 0
    if (headers === undefined || headers.code === 404 || headers.code === 408) return
    if (TOO_LARGE.test(headers.description)) {
      this.#nextIsLarge = empty
      return
    }
    this.#pauseUntil = performance.now() + PAUSE
    this.#options.onRefusal(headers.code === NO_RESPONDERS ? 'the consumer does not respond' : headers.description)
  }

  // The broker dropped the request with the connection.
  readonly #forgetRequest = (): void => {
    this.#remaining = 0
    this.#wake()
  }

  #waitForWake (timeout: number): Promise<void> {
    return waitAtMost(
      new Promise<void>((resolve) => {
        this.#wake = resolve
      }),
      timeout
    )
  }
}
