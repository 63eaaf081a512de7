import type { FastifyReply } from 'fastify'

import { RateBudget } from './rate-budget.js'
import { frameOf } from './frame.js'
import type { ItemProperties } from './frame.js'
import type { LiveLimits } from './options.js'

export interface ViewerFilter {
  sourceId: string | undefined
  type: string | undefined
  outcome: string
}

const RETRY = Buffer.from('retry: 3000\n\n')
const HEARTBEAT = Buffer.from(': heartbeat\n\n')

/**
 * One open stream. Writes to the socket directly, with a bounded queue: `reply.sse.send` would wait forever for the
 * drain event of a closed socket, and the plugin's heartbeat keeps writing to a socket whose client does not read.
 */
export class LiveViewer {
  readonly reply: FastifyReply
  readonly filter: ViewerFilter
  readonly #limits: LiveLimits
  readonly #budget: RateBudget
  readonly #dropped = { rate: 0, slow: 0 }
  #queue: Buffer[] = []
  #queued = 0
  /** Whether the socket's buffer is full. */
  #blocked = false
  #blockedFor = 0

  constructor (reply: FastifyReply, filter: ViewerFilter, limits: LiveLimits) {
    this.reply = reply
    this.filter = filter
    this.#limits = limits
    this.#budget = new RateBudget(limits.eventsPerSecond)
    reply.raw.on('drain', this.#drained)
    reply.sse.sendHeaders()
    this.send(RETRY)
  }

  matches ({ outcome, sourceId, type }: ItemProperties): boolean {
    const { filter } = this
    return (filter.outcome === 'all' || filter.outcome === outcome) &&
      (filter.sourceId === undefined || filter.sourceId === sourceId) &&
      (filter.type === undefined || filter.type === type)
  }

  /** Returns whether the budget of this second has room for an item; if not, counts the item as dropped. */
  hasBudgetFor ({ outcome }: ItemProperties): boolean {
    if (this.#budget.take(outcome)) return true
    this.#dropped.rate++
    return false
  }

  /** Sends or queues an item; counts the item as dropped if the queue is full. */
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

  /** Sends a frame, or skips it while the socket's buffer is full: for frames that the next one replaces. */
  send (frame: Buffer): void {
    if (!this.#blocked && this.reply.sse.isConnected) this.#blocked = !this.reply.raw.write(frame)
  }

  /** Runs once per second. */
  tick (): void {
    this.#budget.reset()
    if (!this.#blocked) {
      this.#reportDropped()
    } else if (++this.#blockedFor * 1000 > this.#limits.stallTimeout) {
      this.reply.log.info('live view: disconnected a viewer that reads too slowly')
      this.reply.raw.destroy()
    }
  }

  heartbeat (): void {
    this.send(HEARTBEAT)
  }

  /** Ends the stream, without waiting for a client that does not read. */
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
