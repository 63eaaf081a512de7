import type { AuthMethod } from '../../../contracts/event-sink.js'
import type { RefusedEvent, RefusedReplay, Source } from '../../../contracts/token-store/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import { repeatableId } from '../ingest-context.js'
import type { EventContext } from '../normalise.js'

/** The values of a refused request that its events share, as `IngestContext` has them for a request. */
export class ReplayContext implements EventContext {
  readonly source: Readonly<Source>
  /** A kept payload contains no pipeline key. */
  readonly key = ''
  readonly authMethod: AuthMethod
  readonly receivedAt: number
  readonly ip: string
  readonly userAgent: string | null
  readonly browserAgent: string | null
  readonly #refused: RefusedEvent
  readonly #replay: RefusedReplay
  readonly #hasVisitors: boolean

  /** @param hasVisitors whether events of browsers get the id of the visitor's cookie */
  constructor (refused: RefusedEvent, replay: RefusedReplay, source: Readonly<Source>, hasVisitors: boolean) {
    this.source = source
    this.authMethod = refused.signed ? 'signature' : 'key'
    this.receivedAt = refused.receivedAt
    this.ip = refused.ip
    this.userAgent = refused.userAgent
    this.browserAgent = replay.fromPage ? refused.userAgent : null
    this.#refused = refused
    this.#replay = replay
    this.#hasVisitors = hasVisitors
  }

  /** Returns the id in the cookie of the browser. Without a cookie, each replay creates the same id. */
  anonymousId (hasNoId: boolean): string | null {
    const { visitorId } = this.#replay
    if (!this.#hasVisitors || this.authMethod === 'signature') return null
    if (!hasNoId && this.#refused.origin === null && visitorId === null) return null
    return visitorId ?? uuidOf(this.#refused.id)
  }

  /** Returns the id that the event would have had, if it follows from the request, else an id of the refused event. */
  messageId (index: number): string {
    const { signatureDigest, webhookId, index: first } = this.#replay
    const isRepeatable = webhookId !== null || this.source.signedRepeats === 'drop'
    if (signatureDigest !== null && isRepeatable) return repeatableId(signatureDigest, first + index)
    return `replayed-${this.#refused.id}-${index}`
  }
}

/** Returns a UUID v4 whose bits follow from a string. */
function uuidOf (text: string): string {
  const digest = sha256Hex(text)
  const variant = (8 + (Number.parseInt(digest.charAt(16), 16) & 3)).toString(16)
  return [
    digest.slice(0, 8), digest.slice(8, 12), `4${digest.slice(13, 16)}`, variant + digest.slice(17, 20),
    digest.slice(20, 32)
  ].join('-')
}
