import type { FastifyReply } from 'fastify'

import { Allowance } from './allowance.js'
import { frameOf } from './frame.js'
import type { Facts } from './frame.js'
import type { LiveLimits } from './options.js'

export interface ViewerFilter {
  sourceId: string | undefined
  type: string | undefined
  outcome: string
}

const RETRY = Buffer.from('retry: 3000\n\n')
const HEARTBEAT = Buffer.from(': heartbeat\n\n')

/**
 * One open connection. It writes itself, no more than the socket takes and a bounded queue behind that: `reply.sse.send` would wait
 * for ever for the drain of a socket that has closed, and its heartbeat goes on writing to one that nobody reads.
 */
export class LiveViewer {
  readonly reply: FastifyReply
  readonly filter: ViewerFilter
  readonly #limits: LiveLimits
  readonly #allowance: Allowance
  readonly #dropped = { rate: 0, slow: 0 }
  #queue: Buffer[] = []
  #queued = 0
  /** The socket takes nothing for now. */
  #blocked = false
  #blockedFor = 0

  constructor (reply: FastifyReply, filter: ViewerFilter, limits: LiveLimits) {
    this.reply = reply
    this.filter = filter
    this.#limits = limits
    this.#allowance = new Allowance(limits.eventsPerSecond)
    reply.raw.on('drain', this.#drained)
    reply.sse.sendHeaders()
    this.send(RETRY)
  }

  wants ({ outcome, sourceId, type }: Facts): boolean {
    const { filter } = this
    return (filter.outcome === 'all' || filter.outcome === outcome) &&
      (filter.sourceId === undefined || filter.sourceId === sourceId) &&
      (filter.type === undefined || filter.type === type)
  }

  /** Whether it is sent another item of this second; if not, the item is counted. */
  admits ({ outcome }: Facts): boolean {
    if (this.#allowance.take(outcome)) return true
    this.#dropped.rate++
    return false
  }

  /** Sends or queues an item; one for which the queue has no room is counted. */
  push (frame: Buffer): void {
    if (!this.reply.sse.isConnected) return
    if (!this.#blocked) {
      this.send(frame)
    } else if (this.#queued + frame.length > this.#limits.queueBytes) {
      this.#dropped.slow++
    } else {
      this.#queue.push(frame)
      this.#queued += frame.length
    }
  }

  /** Sends at once, or not at all while the socket takes nothing: for what the next one makes up for. */
  send (frame: Buffer): void {
    if (!this.#blocked && this.reply.sse.isConnected) this.#blocked = !this.reply.raw.write(frame)
  }

  /** A second has gone by. */
  beat (): void {
    this.#allowance.renew()
    if (!this.#blocked) {
      this.#reportDropped()
    } else if (++this.#blockedFor * 1000 > this.#limits.stallTimeout) {
      this.reply.log.info('live view: cut off a viewer who reads too slowly')
      this.reply.raw.destroy()
    }
  }

  heartbeat (): void {
    this.send(HEARTBEAT)
  }

  /** Ends the stream; a viewer who does not read is not waited for. */
  end (): void {
    this.reply.sse.close()
    if (this.#blocked) this.reply.raw.destroy()
  }

  readonly #drained = (): void => {
    this.#blocked = false
    this.#blockedFor = 0
    const waiting = this.#queue
    this.#queue = []
    this.#queued = 0
    for (const frame of waiting) this.push(frame)
  }

  #reportDropped (): void {
    for (const reason of ['rate', 'slow'] as const) {
      const count = this.#dropped[reason]
      if (count === 0 || this.#blocked) continue
      this.#dropped[reason] = 0
      this.send(frameOf('dropped', JSON.stringify({ count, reason })))
    }
  }
}
