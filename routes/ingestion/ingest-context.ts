import { randomUUID } from 'node:crypto'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { requestAddress } from '../../lib/http/client-address.js'
import { INVALID_PIPELINE_KEY } from '../../lib/errors.js'
import type { AuthMethod } from '../../contracts/event-sink.js'
import type { Source } from '../../contracts/token-store/index.js'
import { sha256Hex } from '../../signing/digest.js'
import { visitorIn } from './identity-cookie.js'
import type { Visitor } from './identity-cookie.js'
import { isMailOpener } from './pixel/mail-openers.js'

const MAX_USER_AGENT = 1_024
const BEACON = /^text\/plain\b/i

/** What all events of one request have in common. */
export class IngestContext {
  readonly source: Readonly<Source>
  readonly key: string
  readonly authMethod: AuthMethod
  readonly receivedAt = Date.now()
  readonly ip: string
  readonly userAgent: string | null
  /**
   * The same if a page's browser sends the request, else `null`: the user agent of a server's SDK says nothing about the
   * visitor, and neither does the image proxy of a mail provider, which a person made load the pixel.
   */
  readonly browserAgent: string | null
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #visitor: Visitor | null
  /** Whether events without a messageId get one from the signature, so that the same request again is a repeat. */
  readonly dropsRepeats: boolean
  #anonymousId: string | null = null
  #signature: string | null = null

  constructor (request: FastifyRequest, reply: FastifyReply, visitor: Visitor | null) {
    const { resolvedSource, headers } = request
    // The guard has made sure of it; without a source nothing may be stored.
    if (resolvedSource === null) throw new INVALID_PIPELINE_KEY()
    this.source = resolvedSource.source
    this.key = resolvedSource.key
    this.authMethod = request.signed ? 'signature' : 'key'
    this.dropsRepeats = request.signed && this.source.signedRepeats === 'drop'
    this.ip = requestAddress(request)
    this.userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null
    this.browserAgent = !request.signed && isFromPage(request) && !isOpenedMail(request) ? this.userAgent : null
    this.#request = request
    this.#reply = reply
    this.#visitor = visitor
  }

  /**
   * The id of the browser for an event that brings no `anonymousId`, `null` if it comes from no browser: a browser is what sends
   * unsigned with an Origin or our cookie, or else names nobody at all.
   */
  anonymousId (namesNobody: boolean): string | null {
    if (this.#visitor === null || this.authMethod === 'signature') return null
    const { headers } = this.#request
    if (!namesNobody && headers.origin === undefined && visitorIn(headers.cookie) === null) return null
    // One for all events of a batch.
    this.#anonymousId ??= this.#visitor(this.#request, this.#reply)
    return this.#anonymousId
  }

  /** A new id; where signed repeats are dropped the same one at each repeat, whatever the case of the signature's digits. */
  messageId (index: number): string {
    const { verifiedSignature } = this.#request
    if (verifiedSignature === null || !this.dropsRepeats) return randomUUID()
    // A digest: who reads the id later must not learn the signature.
    this.#signature ??= sha256Hex(verifiedSignature).slice(0, 40)
    return `signed-${this.#signature}-${index}`
  }
}

/** Of all inputs only the pixel is a GET. */
function isOpenedMail ({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && isMailOpener(headers['user-agent'] ?? '')
}

/** What a page sends by fetch has its origin; a pixel and a beacon may not. */
function isFromPage ({ method, headers }: FastifyRequest): boolean {
  return headers.origin !== undefined || method === 'GET' || BEACON.test(headers['content-type'] ?? '') || visitorIn(headers.cookie) !== null
}
