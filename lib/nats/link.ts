import { EventEmitter } from 'node:events'

import type { NatsConnection } from '@nats-io/transport-node'

const links = new WeakMap<NatsConnection, NatsLink>()

/** Whether a connection works, as far as is known, for those who would rather not publish into a void: what the client can't send it keeps. */
export class NatsLink extends EventEmitter<{ up: [], down: [] }> {
  readonly #connection: NatsConnection
  #downSince: number | null
  /** Counts the changes, so that an answer that was asked for before the last one says nothing. */
  #change = 0
  #lastError: Error | undefined

  /** The one of a connection. */
  static of (connection: NatsConnection): NatsLink {
    let link = links.get(connection)
    if (link === undefined) links.set(connection, link = new NatsLink(connection))
    return link
  }

  private constructor (connection: NatsConnection) {
    super({ captureRejections: false })
    this.setMaxListeners(0)
    this.#connection = connection
    this.#downSince = connection.isClosed() ? performance.now() : null
    this.#watch().catch(() => {})
  }

  get up (): boolean {
    return this.#downSince === null
  }

  /** What the broker refused last, such as a subject that may not be published to. */
  get lastError (): Error | undefined {
    return this.#lastError
  }

  /** Resolves once the connection works; rejects at a time, by `performance.now`, or when it has not worked for `patience` milliseconds. */
  async whenUp (until: number, patience: number): Promise<void> {
    if (this.#downSince === null) return
    if (this.#connection.isClosed()) throw new Error('The connection to NATS is closed')
    const left = Math.min(until, this.#downSince + patience) - performance.now()
    const away = new Error('NATS is away', { cause: this.#lastError })
    if (left <= 0) throw away
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer)
        this.off('up', settle)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(settle, left, away)
      this.once('up', settle)
    })
  }

  /** Nothing was answered since a time, by `performance.now`: the connection counts as down until the broker answers a ping, or there is a new one. */
  doubt (since: number): void {
    if (this.#downSince !== null) return
    const change = this.#goDown(since)
    this.#connection.flush().then(() => {
      if (change === this.#change) this.#goUp()
    }, () => {})
  }

  async #watch (): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'error') this.#lastError = status.error
      else if (status.type === 'reconnect') this.#goUp()
      else if (status.type === 'disconnect' || status.type === 'close') this.#goDown(performance.now())
      else if (status.type === 'staleConnection') {
        this.#goDown(performance.now())
        severSocket(this.#connection)
      }
    }
  }

  #goDown (since: number): number {
    this.#downSince ??= since
    this.#change++
    this.emit('down')
    return this.#change
  }

  #goUp (): void {
    this.#downSince = null
    this.#lastError = undefined
    this.#change++
    this.emit('up')
  }
}

/**
 * The client ends a dead connection only when all that it wrote has left: on one whose other end is gone, or takes no more, that is
 * never, or when the system gives up after a quarter of an hour. No public method drops the socket.
 */
function severSocket (connection: NatsConnection): void {
  const { protocol } = connection as { protocol?: { transport?: { socket?: { destroy?: () => void } } } }
  protocol?.transport?.socket?.destroy?.()
}
