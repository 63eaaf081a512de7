import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'

import { waitAtMost } from '../../../lib/deadline.js'
import type { NatsLink } from '../../../lib/nats/link.js'

export interface PullerOptions {
  connection: NatsConnection
  link: NatsLink
  /** Where the broker sends messages; nobody else listens to what begins with it. */
  inbox: string
  stream: string
  durable: string
  /** Messages of one request at most. */
  batch: number
  /** Told when the broker refuses to give messages. */
  onRefusal: (reason: string) => void
}

const EXPIRY = 10_000
/** On top, for an answer that is on its way. */
const GRACE = 2_000
const PAUSE = 500
/** For a broker that hangs, at the end. */
const PATIENCE = 2_000
/** Bytes of one request at most, a single larger message apart: a message may hold a whole flush. */
const MOST_BYTES = 8 * 1024 * 1024
const NANOS = 1_000_000
const TOO_LARGE = /exceeds maxbytes/i
const NO_RESPONDERS = 503

/**
 * Asks a durable consumer for messages, with one request open at a time, and hands out what has come: while it is stored more comes, so
 * that the batch sizes itself.
 */
export class Puller {
  readonly #options: PullerOptions
  readonly #subscription: Subscription
  #arrived: Msg[] = []
  /** Messages that the open request may still bring; 0: none is open. */
  #wanted = 0
  #requests = 0
  #expiresAt = 0
  #oneLarge = false
  #pauseUntil = 0
  #stopping = false
  #over = false
  #wake: () => void = () => {}

  constructor (options: PullerOptions) {
    this.#options = options
    const { connection, inbox, link } = options
    this.#subscription = connection.subscribe(`${inbox}.*`, { callback: (error, message) => { if (error === null) this.#take(message) } })
    link.on('up', this.#forgetRequest)
  }

  /** What has come since; waits for the first. Empty only when it was stopped and no more will come. */
  async next (): Promise<Msg[]> {
    while (!this.#over && this.#arrived.length === 0) {
      const now = performance.now()
      if (this.#stopping) await this.#woken(EXPIRY)
      else if (now < this.#pauseUntil) await this.#woken(this.#pauseUntil - now)
      else if (!this.#options.link.up) await this.#woken(PAUSE)
      else {
        if (this.#wanted === 0 || now >= this.#expiresAt) this.#request(now)
        await this.#woken(this.#expiresAt - now)
      }
    }
    const messages = this.#arrived
    this.#arrived = []
    // Ahead, so that the next come while these are stored.
    if (!this.#stopping && this.#wanted === 0 && this.#options.link.up && performance.now() >= this.#pauseUntil) this.#request(performance.now())
    return messages
  }

  /**
   * Asks for no more; resolves when all has come that was on its way. That is better stored than given back: nats-server 2.9 keeps what is
   * given back while a request of somebody gone is open until `ackWait` is over.
   */
  async stop (): Promise<void> {
    const { connection, link } = this.#options
    this.#stopping = true
    link.off('up', this.#forgetRequest)
    if (link.up) await waitAtMost(this.#subscription.drain().catch(() => {}), PATIENCE)
    else if (!connection.isClosed()) this.#subscription.unsubscribe()
    this.#over = true
    this.#wake()
  }

  #request (now: number): void {
    const { connection, inbox, stream, durable, batch } = this.#options
    const limits = this.#oneLarge ? { batch: 1 } : { batch, max_bytes: MOST_BYTES }
    this.#wanted = limits.batch
    this.#oneLarge = false
    this.#expiresAt = now + EXPIRY + GRACE
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, JSON.stringify({ ...limits, expires: EXPIRY * NANOS }), { reply: `${inbox}.${++this.#requests}` })
  }

  #take (message: Msg): void {
    // A message comes with a subject of its own, and where to acknowledge it; else it is about the request.
    if (message.reply?.startsWith('$JS.ACK.') === true) {
      this.#arrived.push(message)
      this.#wanted = Math.max(0, this.#wanted - 1)
    } else if (message.subject === `${this.#options.inbox}.${this.#requests}`) {
      this.#end(message)
    }
    this.#wake()
  }

  #end ({ headers }: Msg): void {
    const empty = this.#arrived.length === 0
    this.#wanted = 0
    if (headers === undefined || headers.code === 404 || headers.code === 408) return
    if (TOO_LARGE.test(headers.description)) {
      this.#oneLarge = empty
      return
    }
    this.#pauseUntil = performance.now() + PAUSE
    this.#options.onRefusal(headers.code === NO_RESPONDERS ? 'nobody answers for the consumer' : headers.description)
  }

  // The broker dropped it with the connection.
  readonly #forgetRequest = (): void => {
    this.#wanted = 0
    this.#wake()
  }

  #woken (most: number): Promise<void> {
    return waitAtMost(new Promise<void>((resolve) => { this.#wake = resolve }), most)
  }
}
