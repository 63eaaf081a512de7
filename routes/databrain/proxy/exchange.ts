import { EventEmitter } from 'node:events'

import { INVALID_REQUEST, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { MeteredBody } from './metered-body.js'

export interface ExchangeLimits {
  /** Maximum milliseconds without progress. */
  timeout: number
  /** Maximum milliseconds for the whole body of the request. */
  uploadTimeout: number
}

/**
 * The time limits of one call to the upstream until its response begins. `timeout` covers the wait for a socket, the
 * connection, an upstream that does not read and an upstream that does not respond; progress of the request's body
 * restarts it. `uploadTimeout` covers the whole body and is never restarted.
 *
 * An exchange is itself the signal of the call: undici also accepts an event emitter, which takes less time than an
 * `AbortSignal`.
 */
export class Exchange extends EventEmitter<{ abort: [] }> {
  readonly #upload: MeteredBody | null
  readonly #timer: NodeJS.Timeout
  #uploadTimer: NodeJS.Timeout | undefined
  #error: GatehouseError | null = null
  #hasResponse = false

  constructor (upload: MeteredBody | null, { timeout, uploadTimeout }: ExchangeLimits) {
    super()
    this.#upload = upload
    this.#timer = setTimeout(() => this.abort(this.#timeoutError('timeout')), timeout)
    if (upload === null) return
    upload.onProgress = () => this.#timer.refresh()
    this.#uploadTimer = setTimeout(() => this.abort(this.#timeoutError('uploadTimeout')), uploadTimeout)
    upload.once('close', () => clearTimeout(this.#uploadTimer))
  }

  get aborted (): boolean {
    return this.#error !== null
  }

  /** The error that ended the call, or `null`. */
  get error (): GatehouseError | null {
    return this.#error
  }

  /** Whether the response has begun or the call has failed, and nothing more of the request's body is to be sent. */
  get isSettled (): boolean {
    return this.#hasResponse && (this.#upload === null || this.#upload.closed)
  }

  /** Aborts the call, and the response if it has begun. The first error is kept. */
  abort (error: GatehouseError): void {
    if (this.aborted) return
    this.#error = error
    clearTimeout(this.#timer)
    clearTimeout(this.#uploadTimer)
    this.emit('abort')
  }

  /** Stops the timeout, after the response has begun or the call has failed. */
  stopTimeout (): void {
    this.#hasResponse = true
    clearTimeout(this.#timer)
    if (this.#upload !== null) this.#upload.onProgress = () => {}
  }

  #timeoutError (limit: keyof ExchangeLimits): GatehouseError {
    return this.#upload?.isWaitingForSource === true
      ? new INVALID_REQUEST({ message: 'The body did not arrive', reason: `the body did not arrive within "${limit}"` })
      : new UPSTREAM_TIMEOUT({ reason: `the upstream did not accept the call within "${limit}"` })
  }
}
