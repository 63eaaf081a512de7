import type { FastifyRequest } from 'fastify'

import { recheckAdmin } from '../../../plugins/admin-guard/index.js'

/** Maximum seconds without a result of the check. */
const MAX_SECONDS_WITHOUT_RESULT = 5

/**
 * Repeats the permission check of a long response: calls `end` if the token has expired or was revoked, or if the check
 * fails or takes too long.
 */
export class AccessCheck {
  readonly #request: FastifyRequest
  readonly #end: () => void
  #isPending = false
  #secondsWithoutResult = 0

  constructor (request: FastifyRequest, end: () => void) {
    this.#request = request
    this.#end = end
  }

  /** Call this once per second. */
  tick (): void {
    if (this.#secondsWithoutResult++ >= MAX_SECONDS_WITHOUT_RESULT) return this.#end()
    if (this.#isPending) return
    this.#isPending = true
    recheckAdmin(this.#request).then(() => {
      this.#isPending = false
      this.#secondsWithoutResult = 0
    }, this.#end)
  }
}
