import { EventEmitter } from 'node:events'

import type { NatsConnection } from '@nats-io/transport-node'

const links = new WeakMap<NatsConnection, NatsLink>()

/**
 * Tracks whether a NATS connection works, so that callers do not publish while it is down: the client would buffer the
 * messages.
 */
export class NatsLink extends EventEmitter<{ up: [], down: [] }> {
  readonly #connection: NatsConnection
  #downSince: number | null
  /** Number of state changes; a ping response that was requested before the last change is ignored. */
  #change = 0
  #lastError: Error | undefined

  /** Returns the link of a connection; there is one per connection. */
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

  /** The last error from the broker, such as a subject without publish permission. */
  get lastError (): Error | undefined {
    return this.#lastError
  }

  /** Resolves when the connection works. Rejects at `until` (`performance.now`) or after `patience` ms of downtime. */
  async whenUp (until: number, patience: number): Promise<void> {
    if (this.#downSince === null) return
    if (this.#connection.isClosed()) throw new Error('The connection to NATS is closed')
    const left = Math.min(until, this.#downSince + patience) - performance.now()
    const unavailable = new Error('NATS is unavailable', { cause: this.#lastError })
    if (left <= 0) throw unavailable
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer)
        this.off('up', settle)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(settle, left, unavailable)
      this.once('up', settle)
    })
  }

  /**
   * Marks the connection as down since `since` (`performance.now`), because the broker did not respond. It is up again
   * when the broker answers a ping or the client reconnects.
   */
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
        destroySocket(this.#connection)
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
 * Destroys the socket of a dead connection, for which the client has no public method. The client itself waits until
 * all written bytes are sent, which can take a quarter of an hour if the peer is gone.
 */
function destroySocket (connection: NatsConnection): void {
  const { protocol } = connection as { protocol?: { transport?: { socket?: { destroy?: () => void } } } }
  protocol?.transport?.socket?.destroy?.()
}
