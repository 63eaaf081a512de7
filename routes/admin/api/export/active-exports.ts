import type { Server } from 'node:net'

import type { FastifyRequest } from 'fastify'

import { RATE_LIMITED, UNAVAILABLE } from '../../../../lib/errors.js'
import { AccessCheck } from '../access-check.js'
import type { ExportLimits } from './options.js'
import type { ExportOutcome } from './running-export.js'

/** The part of an export that this module needs. */
export interface WatchedExport {
  /** Milliseconds for which the client has read nothing. */
  readonly blockedFor: number
  end (outcome: ExportOutcome): void
}

const SECOND = 1_000
/** Seconds after which a client may try again. */
const RETRY_AFTER = 30

/**
 * The exports of this process. Limits their number, and checks once per second whether their tokens are still valid and
 * their clients still read.
 */
export class ActiveExports {
  readonly #limits: ExportLimits
  readonly #server: Server
  /** Number of exports by organisation. */
  readonly #places = new Map<string, number>()
  readonly #checks = new Map<WatchedExport, AccessCheck>()
  #total = 0
  #timer: NodeJS.Timeout | null = null
  #served = false
  #closed = false

  constructor (limits: ExportLimits, server: Server) {
    this.#limits = limits
    this.#server = server
  }

  /**
   * Takes a place and returns the function that gives it back. Throws `RATE_LIMITED` at a limit, and `UNAVAILABLE`
   * while the server closes.
   */
  admit (orgId: string): () => void {
    if (this.#closed) throw new UNAVAILABLE({ reason: 'the server closes' })
    const places = this.#places.get(orgId) ?? 0
    if (places >= this.#limits.maxExports) {
      throw new RATE_LIMITED({ message: 'Your organisation has too many exports running', retryAfterSeconds: RETRY_AFTER })
    }
    if (this.#total >= this.#limits.maxExportsTotal) {
      throw new RATE_LIMITED({ message: 'Too many exports are running', retryAfterSeconds: RETRY_AFTER })
    }
    this.#places.set(orgId, places + 1)
    this.#total++
    return () => {
      this.#total--
      const left = (this.#places.get(orgId) ?? 0) - 1
      if (left > 0) this.#places.set(orgId, left)
      else this.#places.delete(orgId)
    }
  }

  /** Checks an export until the returned function is called. */
  watch (request: FastifyRequest, running: WatchedExport): () => void {
    this.#checks.set(running, new AccessCheck(request, () => running.end('access_ended')))
    if (this.#closed) running.end('server_closing')
    this.#served ||= this.#server.listening
    this.#timer ??= setInterval(this.#tick, SECOND).unref()
    return () => {
      this.#checks.delete(running)
      if (this.#checks.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer)
        this.#timer = null
      }
    }
  }

  /** Ends all exports; their clients can continue them elsewhere. */
  close (): void {
    this.#closed = true
    this.#endAll()
  }

  #endAll (): void {
    for (const running of this.#checks.keys()) running.end('server_closing')
  }

  readonly #tick = (): void => {
    // A server that has stopped listening is closing, and waits for its open connections.
    if (this.#served && !this.#server.listening) this.#endAll()
    for (const [running, check] of this.#checks) {
      check.tick()
      if (running.blockedFor > this.#limits.stallTimeout) running.end('client_stalled')
    }
  }
}
