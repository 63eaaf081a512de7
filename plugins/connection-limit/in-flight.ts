import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { Tally } from './tally.js'

const SLOT = Symbol('gatehouse place')

type Waiters = Set<Counted>
/** A slot that a response holds. One response may hold several: of its route and of the surrounding guard. */
interface Slot {
  readonly name: string
  readonly tally: Tally
  readonly waiters: Waiters | null
  readonly previous: Slot | null
}
type Counted = ServerResponse & { [SLOT]?: Slot | null }

/**
 * Counts requests in flight. A slot is released when the response finishes, fails, is aborted or its hijacked socket
 * closes.
 */
export class InFlight {
  readonly #tally = new Tally()
  /** The responses of each socket that hold a slot: a response that waits in a pipeline emits no "close". */
  readonly #waiters = new WeakMap<Socket, Waiters>()

  /** Number of names with requests in flight. */
  get size (): number {
    return this.#tally.size
  }

  /** Takes a slot for the request. Returns `false` if the name already has `max` slots. */
  enter (
    name: string,
    max: number,
    { raw: { socket, httpVersionMajor } }: FastifyRequest,
    reply: FastifyReply
  ): boolean {
    const response: Counted = reply.raw
    // The response has ended, so no event would release the slot.
    if (socket.destroyed || response.destroyed || response.writableFinished) return true
    if (!this.#tally.take(name, max)) return false
    // An HTTP/2 stream emits its own "close", and its socket must not be used.
    const waiters = httpVersionMajor < 2 ? this.#waitersOf(socket) : null
    waiters?.add(response)
    const previous = response[SLOT] ?? null
    response[SLOT] = { name, tally: this.#tally, waiters, previous }
    if (previous !== null) return true
    response.on('finish', release)
    // Over HTTP/1 a response that does not finish ends with its socket.
    if (waiters === null) response.on('close', release)
    return true
  }

  #waitersOf (socket: Socket): Waiters {
    let waiters = this.#waiters.get(socket)
    if (waiters === undefined) {
      const added: Waiters = waiters = new Set()
      this.#waiters.set(socket, waiters)
      socket.once('close', () => added.forEach(leave))
    }
    return waiters
  }
}

function release (this: Counted): void {
  leave(this)
}

function leave (response: Counted): void {
  const slots = response[SLOT] ?? null
  response[SLOT] = null
  for (let place = slots; place !== null; place = place.previous) {
    place.tally.release(place.name)
    place.waiters?.delete(response)
  }
}
