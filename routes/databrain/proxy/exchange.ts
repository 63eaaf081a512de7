import { INVALID_REQUEST, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { MeteredBody } from './metered-body.js'

export interface ExchangeLimits {
  /** Milliseconds for which nothing may happen. */
  timeout: number
  /** Milliseconds for the whole body of the request. */
  uploadTimeout: number
}

/**
 * One call to the upstream until its answer begins. A deadline, put off as the body of the request goes through, covers waiting for a socket,
 * connecting, an upstream that does not read and one that does not answer; another one, which nothing puts off, the body as a whole.
 */
export class Exchange {
  readonly #controller = new AbortController()
  readonly #upload: MeteredBody | null
  readonly #timer: NodeJS.Timeout
  #uploadTimer: NodeJS.Timeout | undefined
  #fault: GatehouseError | null = null

  constructor (upload: MeteredBody | null, { timeout, uploadTimeout }: ExchangeLimits) {
    this.#upload = upload
    this.#timer = setTimeout(() => this.giveUp(this.#overdue('timeout')), timeout)
    if (upload === null) return
    upload.onProgress = () => this.#timer.refresh()
    this.#uploadTimer = setTimeout(() => this.giveUp(this.#overdue('uploadTimeout')), uploadTimeout)
    upload.once('close', () => clearTimeout(this.#uploadTimer))
  }

  get signal (): AbortSignal {
    return this.#controller.signal
  }

  /** Why it was given up. */
  get fault (): GatehouseError | null {
    return this.#fault
  }

  /** Ends the call, and the answer if it has begun; the first reason counts. */
  giveUp (fault: GatehouseError): void {
    this.#fault ??= fault
    clearTimeout(this.#timer)
    clearTimeout(this.#uploadTimer)
    this.#controller.abort()
  }

  /** The answer has begun, or there will be none. */
  settled (): void {
    clearTimeout(this.#timer)
    if (this.#upload !== null) this.#upload.onProgress = () => {}
  }

  #overdue (limit: keyof ExchangeLimits): GatehouseError {
    return this.#upload?.isHungry === true
      ? new INVALID_REQUEST({ message: 'The body did not arrive', reason: `the body did not arrive within "${limit}"` })
      : new UPSTREAM_TIMEOUT({ reason: `the upstream did not take the call within "${limit}"` })
  }
}
