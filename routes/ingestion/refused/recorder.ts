import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CHANNELS } from '../../../lib/channels.js'
import type { RefusedMessage } from '../../../lib/channels.js'
import type { RefusedEvent, RefusedEventLimits, Source } from '../../../contracts/token-store/index.js'
import type { EventError } from '../../../schemas/ingestion.js'
import { pixelEvent } from '../pixel/event.js'
import { draftOf, reasonOf } from './draft.js'
import { RefusedQueue } from './queue.js'
import { inflated, readAfterwards, readBefore } from './read-body.js'

const RECORDER: unique symbol = Symbol('gatehouse refused events')

type Scope = FastifyInstance & { [RECORDER]?: RefusedRecorder }

/** An event of a batch that was refused. */
export interface RefusedItem {
  error: EventError
  /**
   * Returns the body of a batch with this event alone. Called only for an event that is kept, because each body repeats
   * the properties that the events share, which may be as long as the batch.
   */
  json: () => string
}

/** Requests that are refused by these checks may not have been read. */
const BEFORE_BODY = new Set(['ORIGIN_NOT_ALLOWED', 'SIGNATURE_REQUIRED'])
const AFTER_BODY = new Set(['INVALID_REQUEST', 'INVALID_JSON'])
const UNPROVED = new Set(['INVALID_SIGNATURE', 'TIMESTAMP_OUT_OF_RANGE'])
/** Maximum number of bodies that are read after their requests were refused. */
const MAX_READING = 100
const NOTHING = Buffer.alloc(0)

/**
 * Keeps the refused requests and events of the sources that ask for it. It works while and after the response is sent:
 * it never delays or changes the response.
 */
export class RefusedRecorder {
  readonly #queue: RefusedQueue
  #reading = 0

  constructor (scope: FastifyInstance, limits: RefusedEventLimits) {
    this.#queue = new RefusedQueue(scope.tokenStore.refusedEvents, limits, scope.log)
    ;(scope as Scope)[RECORDER] = this
    subscribe(CHANNELS.refused.name, this.#onRefused)
    scope.addHook('onClose', async () => {
      unsubscribe(CHANNELS.refused.name, this.#onRefused)
      await this.#queue.close()
    })
  }

  /** Keeps the refused events of an accepted batch or delivery. */
  keepItems (request: FastifyRequest, source: Readonly<Source>, items: readonly RefusedItem[]): void {
    for (const { error: { index, code, message }, json } of items) {
      if (!AFTER_BODY.has(code) || !this.#queue.hasRoom(source.id)) continue
      const draft = draftOf(request, source, { code, reason: message })
      if (draft.replay !== null) draft.replay.index = index
      if (draft.replay?.form === 'delivery') draft.replay.form = 'event'
      this.#queue.add(draft, Buffer.from(json()), true)
    }
  }

  readonly #onRefused = (message: unknown): void => {
    const { request, error, body } = message as RefusedMessage
    const { source } = request
    if (source?.keepRefused !== true || (request.server as Scope)[RECORDER] !== this) return
    try {
      this.#keepRequest(request, source, error, body)
    } catch {
      this.#queue.drop()
    }
  }

  #keepRequest (
    request: FastifyRequest,
    source: Readonly<Source>,
    error: RefusedMessage['error'],
    body: Buffer | undefined
  ): void {
    const { code } = error
    const isPixel = request.method === 'GET' && request.routeOptions.config.eventType !== undefined
    if (!isPixel && request.method !== 'POST') return
    // The holder of a webhook's id alone can send to it, so a disabled webhook keeps nothing.
    if (request.resolvedWebhook != null && body === undefined && UNPROVED.has(code)) return
    const before = isPixel ? null : readBefore(request)
    if (!isKept(code, isPixel, before !== null) || !this.#queue.hasRoom(source.id)) return
    const draft = draftOf(request, source, { code, reason: reasonOf(error) })
    const add = (bytes: Buffer, isComplete: boolean) => this.#queue.add(draft, bytes, isComplete)
    if (isPixel) this.#addPixel(request, draft)
    else if (before !== null) add(before, true)
    else if (body !== undefined) inflated(request, body, add)
    else if (!BEFORE_BODY.has(code)) add(NOTHING, false)
    else if (this.#reading >= MAX_READING) this.#queue.drop()
    else {
      this.#reading++
      readAfterwards(request, (bytes, isComplete) => {
        this.#reading--
        add(bytes, isComplete)
      })
    }
  }

  #addPixel ({ query, headers }: FastifyRequest, draft: RefusedEvent): void {
    const { type } = draft
    if (type === null) return
    try {
      const event = pixelEvent(type as 'track', query as Record<string, unknown>, headers.referer)
      this.#queue.add(draft, Buffer.from(JSON.stringify(event)), true)
    } catch {
      // A parameter occurs twice, so there is no event.
      this.#queue.add({ ...draft, replay: null }, NOTHING, false)
    }
  }
}

function isKept (code: string, isPixel: boolean, hasBody: boolean): boolean {
  if (BEFORE_BODY.has(code) || UNPROVED.has(code)) return true
  return AFTER_BODY.has(code) ? isPixel || hasBody : isPixel && code === 'FORBIDDEN'
}
