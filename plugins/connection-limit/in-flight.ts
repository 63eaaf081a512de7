import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { Tally } from './tally.js'

const PLACE = Symbol('gatehouse place')

type Waiters = Set<Counted>
/** One response may hold places of several: a route's, and the guard's around it. */
interface Place { readonly name: string, readonly tally: Tally, readonly waiters: Waiters | null, readonly before: Place | null }
type Counted = ServerResponse & { [PLACE]?: Place | null }

/** Counts requests that are being answered. Whatever becomes of one, its place is free again: answered, failed, cut off, or hijacked and let go. */
export class InFlight {
  readonly #tally = new Tally()
  /** Of each socket the responses that hold a place: those that wait in a pipeline are not told of its end. */
  readonly #waiters = new WeakMap<Socket, Waiters>()

  /** Names with requests in flight. */
  get size (): number {
    return this.#tally.size
  }

  /** Takes a place for the request; `false` if the name has `max` already. */
  enter (name: string, max: number, { raw: { socket, httpVersionMajor } }: FastifyRequest, reply: FastifyReply): boolean {
    const response: Counted = reply.raw
    // Over already: nothing would tell that its place is free again.
    if (socket.destroyed || response.destroyed || response.writableFinished) return true
    if (!this.#tally.take(name, max)) return false
    // A stream of HTTP/2 has an end of its own, and its socket is not to be touched.
    const waiters = httpVersionMajor < 2 ? this.#waitersOf(socket) : null
    waiters?.add(response)
    const before = response[PLACE] ?? null
    response[PLACE] = { name, tally: this.#tally, waiters, before }
    if (before === null) response.once('finish', release).once('close', release)
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
  const held = response[PLACE] ?? null
  response[PLACE] = null
  for (let place = held; place !== null; place = place.before) {
    place.tally.release(place.name)
    place.waiters?.delete(response)
  }
}
