import type { FastifyInstance } from 'fastify'

import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import type {
  RefusedEvent, RefusedReplay, Source, SourceKeys, Webhooks
} from '../../../contracts/token-store/index.js'
import { unsignedError } from '../../../lib/cors/unsigned-error.js'
import {
  FORBIDDEN, INVALID_PIPELINE_KEY, INVALID_REQUEST, INVALID_SIGNATURE,
  SIGNATURE_REQUIRED
} from '../../../lib/errors.js'
import { DELIVERY_LIMITS } from '../../../lib/json/limits.js'
import { mostMembers } from '../../../lib/json/scan.js'
import { violationDetail } from '../../../lib/violations.js'
import { withKeyDomains } from '../../../plugins/token-store/source-key-rules.js'
import { eventSchemaOf } from '../../../schemas/event.js'
import type { EventBody, EventType } from '../../../schemas/event.js'
import { batchBodySchema, MAX_BROWSER_BATCH_EVENTS } from '../../../schemas/ingestion.js'
import type { BatchBody } from '../../../schemas/ingestion.js'
import { batchRules, validateBatch } from '../batch/validate.js'
import { parseText } from '../body/parse-json.js'
import type { BotCheck } from '../bots.js'
import { eventRules } from '../events.js'
import { normalise } from '../normalise.js'
import { eventAssertion } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { deliveryLimits, deliveryRules, validateDelivery } from '../webhook/validate.js'
import type { RefusedItem } from './recorder.js'
import { ReplayContext } from './replay-context.js'

export interface IntakeLimits {
  eventLimit: number
  bodyLimit: number
  batchLimit: number
  keylessLimit: number
  webhookLimit: number
}

/** The events of a refused request that are valid now, and those that are not. */
export interface IntakeResult {
  events: AcceptedEvent[]
  items: RefusedItem[]
}

type Validate = (value: unknown) => void

/** Checks refused requests again, by the rules of the ingestion routes and the present settings of their sources. */
export class Intake {
  readonly #limits: IntakeLimits
  readonly #webhooks: Webhooks
  readonly #keys: SourceKeys
  readonly #isBotAgent: BotCheck
  readonly #hasVisitors: boolean
  readonly #compile: (schema: object) => Validate
  readonly #assertEvent: AssertEvent
  readonly #assertMapped: AssertEvent
  readonly #assertBatch: Validate
  readonly #byType = new Map<EventType, Validate>()

  /** @param hasVisitors whether events of browsers get the id of the visitor's cookie */
  constructor (scope: FastifyInstance, limits: IntakeLimits, isBotAgent: BotCheck, hasVisitors: boolean) {
    this.#limits = limits
    this.#webhooks = scope.tokenStore.webhooks
    this.#keys = scope.tokenStore.sourceKeys
    this.#isBotAgent = isBotAgent
    this.#hasVisitors = hasVisitors
    this.#compile = (schema) => compiled(scope, schema)
    this.#assertEvent = eventAssertion(scope, '/replay')
    this.#assertMapped = eventAssertion(scope, '/replay', DELIVERY_LIMITS)
    this.#assertBatch = this.#compile(batchBodySchema(MAX_BROWSER_BATCH_EVENTS))
  }

  /** Returns the events of a refused request. Throws the error of the client if none is valid. */
  async events (refused: RefusedEvent, replay: RefusedReplay, stored: Readonly<Source>): Promise<IntakeResult> {
    if (!stored.enabled) throw new INVALID_PIPELINE_KEY({ reason: 'the source is disabled' })
    const source = await this.#withKey(replay, stored)
    if (!refused.signed) {
      if (replay.requiresSignature) throw new SIGNATURE_REQUIRED({ reason: 'the route requires a signature' })
      const error = unsignedError(source, refused.origin ?? undefined)
      if (error !== null) throw error
    }
    const context = new ReplayContext(refused, replay, source, this.#hasVisitors)
    const { payload } = refused
    if (replay.form === 'batch') return this.#batchEvents(payload, context)
    if (replay.form === 'delivery') return await this.#deliveryEvents(payload, replay, context)
    if (replay.webhookId !== null) await this.#webhookOf(replay, source)
    return { events: [this.#singleEvent(payload, replay, context)], items: [] }
  }

  /** Returns the source as requests with the key of the refused request have it. Throws if the key has ended. */
  async #withKey ({ keyId }: RefusedReplay, source: Readonly<Source>): Promise<Readonly<Source>> {
    // Events that an earlier version has kept have no `keyId`.
    if (keyId == null) return source
    const key = await this.#keys.get(source.orgId, source.id, keyId)
    if (key?.enabled !== true || (key.expiresAt !== null && key.expiresAt <= Date.now())) {
      throw new INVALID_PIPELINE_KEY({ reason: 'the named key of the request is disabled, expired or deleted' })
    }
    return withKeyDomains(source, key.domains)
  }

  #singleEvent (json: string, { type, pixel, webhookId }: RefusedReplay, context: ReplayContext): AcceptedEvent {
    const { pixelTypes } = context.source
    if (pixel && type !== null && !pixelTypes.includes(type)) {
      throw new FORBIDDEN({ reason: `the source does not accept ${type} events by pixel` })
    }
    const { event: maxBytes } = deliveryLimits(this.#limits.webhookLimit, this.#limits.batchLimit)
    const rules = webhookId === null ? eventRules(this.#limits) : deliveryRules(maxBytes)
    const { value } = parseText(json, Buffer.byteLength(json), rules)
    if (type === null) {
      const assertEvent: AssertEvent = webhookId === null ? this.#assertEvent : this.#assertMapped
      assertEvent(value, json, mostMembers(json), maxBytes)
      return normalise({ value, json, type: value.type, index: 0, batch: null }, context, this.#isBotAgent)
    }
    if (!pixel) this.#assertType(type, value)
    return normalise(
      { value: value as Partial<EventBody>, json, type, index: 0, batch: null },
      context,
      this.#isBotAgent
    )
  }

  #batchEvents (rawJson: string, context: ReplayContext): IntakeResult {
    const { value, members, boundaries } = parseText(rawJson, Buffer.byteLength(rawJson), batchRules(this.#limits))
    this.#assertBatch(value)
    const { events, items } = validateBatch(
      { body: value as BatchBody, rawJson, jsonMembers: members, jsonBoundaries: boundaries },
      context,
      {
        assertEvent: this.#assertEvent,
        eventLimit: this.#limits.eventLimit,
        isBotAgent: this.#isBotAgent,
        keepsRefused: true
      }
    )
    return { events, items }
  }

  async #deliveryEvents (rawJson: string, replay: RefusedReplay, context: ReplayContext): Promise<IntakeResult> {
    const { webhookLimit, batchLimit } = this.#limits
    const webhook = await this.#webhookOf(replay, context.source)
    const { value } = parseText(rawJson, Buffer.byteLength(rawJson), deliveryRules(webhookLimit))
    return validateDelivery(webhook, { body: value, rawJson, headers: replay.headers }, context, {
      assertEvent: this.#assertMapped,
      limits: deliveryLimits(webhookLimit, batchLimit),
      isBotAgent: this.#isBotAgent
    })
  }

  async #webhookOf ({ webhookId }: RefusedReplay, { orgId, id }: Readonly<Source>) {
    const webhook = webhookId === null ? null : await this.#webhooks.get(orgId, id, webhookId)
    if (webhook?.enabled !== true) throw new INVALID_SIGNATURE({ reason: 'unknown or disabled webhook' })
    return webhook
  }

  #assertType (type: EventType, value: unknown): void {
    let validate = this.#byType.get(type)
    if (validate === undefined) this.#byType.set(type, validate = this.#compile(eventSchemaOf(type)))
    validate(value)
  }
}

/** Compiles a schema to a function that throws `INVALID_REQUEST`. */
function compiled (scope: FastifyInstance, schema: object): Validate {
  const compile = scope.validatorCompiler
  if (compile === undefined) throw new Error('the scope has no validator compiler')
  const isValid = compile({ schema, method: 'POST', url: '/replay', httpPart: 'body' })
  return (value) => {
    if (isValid(value) !== true) throw new INVALID_REQUEST({ details: (isValid.errors ?? []).map(violationDetail) })
  }
}
