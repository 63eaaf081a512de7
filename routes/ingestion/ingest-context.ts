import { randomUUID } from 'node:crypto'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { requestAddress } from '../../lib/http/client-address.js'
import { INVALID_PIPELINE_KEY } from '../../lib/errors.js'
import type { AuthMethod } from '../../contracts/event-sink.js'
import type { Source } from '../../contracts/token-store/index.js'
import { sha256Hex } from '../../signing/digest.js'
import { visitorIdIn } from './identity-cookie.js'
import type { GetVisitorId } from './identity-cookie.js'
import { isMailOpener } from './pixel/mail-openers.js'

export const MAX_USER_AGENT = 1_024
const BEACON = /^text\/plain\b/i

/** The values that all events of one request share. */
export class IngestContext {
  readonly source: Readonly<Source>
  readonly key: string
  readonly authMethod: AuthMethod
  readonly receivedAt = Date.now()
  readonly ip: string
  readonly userAgent: string | null
  /**
   * The user agent if the browser of a page sends the request, else `null`: the user agent of a server's SDK or of a
   * mail provider's image proxy does not identify the visitor.
   */
  readonly browserAgent: string | null
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #getVisitorId: GetVisitorId | null
  /** Whether events without a messageId get one from the signature, so that a repeated request is a duplicate. */
  readonly dropsRepeats: boolean
  #anonymousId: string | null = null
  #signature: string | null = null

  constructor (request: FastifyRequest, reply: FastifyReply, getVisitorId: GetVisitorId | null) {
    const { resolvedSource, headers } = request
    // Unreachable behind the guard: an event without a source must not be stored.
    if (resolvedSource === null) throw new INVALID_PIPELINE_KEY()
    this.source = resolvedSource.source
    this.key = resolvedSource.key
    this.authMethod = request.signed ? 'signature' : 'key'
    this.dropsRepeats = request.signed && this.source.signedRepeats === 'drop'
    this.ip = requestAddress(request)
    this.userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null
    this.browserAgent = isFromBrowser(request) ? this.userAgent : null
    this.#request = request
    this.#reply = reply
    this.#getVisitorId = getVisitorId
  }

  /**
   * Returns the browser's id for an event without `anonymousId`; `null` if the request does not come from a browser. An
   * unsigned request counts as a browser's if it has an Origin header, the `_dfid` cookie, or an event without any id.
   */
  anonymousId (hasNoId: boolean): string | null {
    if (this.#getVisitorId === null || this.authMethod === 'signature') return null
    const { headers } = this.#request
    if (!hasNoId && headers.origin === undefined && visitorIdIn(headers.cookie) === null) return null
    // All events of a batch get the same id.
    this.#anonymousId ??= this.#getVisitorId(this.#request, this.#reply)
    return this.#anonymousId
  }

  /**
   * Returns a new id; if signed repeats are dropped, an id from the signature's bytes and the index, which a repeated
   * request reproduces.
   */
  messageId (index: number): string {
    const { verifiedSignature } = this.#request
    if (verifiedSignature === null || !this.dropsRepeats) return randomUUID()
    this.#signature ??= signatureDigest(verifiedSignature)
    return repeatableId(this.#signature, index)
  }
}

/** Returns a digest of a signature, which hides the signature from readers of ids. */
export function signatureDigest (signature: Buffer | string): string {
  return sha256Hex(signature).slice(0, 40)
}

/** Returns the `messageId` that each repeat of a signed request has. */
export function repeatableId (digest: string, index: number): string {
  return `signed-${digest}-${index}`
}

/**
 * Returns whether the browser of a page sends the request, so that the user agent identifies the visitor.
 */
export function isFromBrowser (request: FastifyRequest): boolean {
  return !request.signed && isFromPage(request) && !isOpenedMail(request)
}

/** Returns whether a mail program loads the pixel. Only the pixel's route is a GET. */
function isOpenedMail ({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && isMailOpener(headers['user-agent'] ?? '')
}

/** Returns whether a page sends the request. A fetch has an Origin header; a pixel or a beacon may have none. */
function isFromPage ({ method, headers }: FastifyRequest): boolean {
  return headers.origin !== undefined || method === 'GET' || BEACON.test(headers['content-type'] ?? '') ||
    visitorIdIn(headers.cookie) !== null
}
