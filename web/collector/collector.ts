import type { EventType } from '../../schemas/event'
import { contextOf } from './context'
import { startDelivery } from './delivery'
import { keepIdentity } from './identity'
import type { Fields } from './identity'
import { openOutbox } from './outbox'
import { followPageViews } from './page-views'
import type { PageViews } from './page-views'
import type { Settings } from './settings'
import type { Store } from './store'
import { uuid } from './uuid'
import { warn } from './warn'

/** What a page may say of one event. */
export interface EventOptions {
  /** Makes a repeat the same event for 24 hours. Default: a random UUID. */
  messageId?: string
  /** Default: now. */
  timestamp?: string | Date
  /** Laid over what the collector finds out itself. */
  context?: Fields
}

/** What a page can call, by name. */
export interface Calls {
  track (event: string, properties?: Fields, options?: EventOptions): void
  page (name?: string | Fields | null, properties?: Fields, options?: EventOptions): void
  identify (userId?: string | number | Fields | null, traits?: Fields, options?: EventOptions): void
  group (groupId: string | number, traits?: Fields, options?: EventOptions): void
  /** The visitor's choices, which go with later events of this page as `context.consent`. */
  consent (choices: Fields): void
  /** Somebody else from now on: at logout. */
  reset (): void
}

export interface Collector {
  calls: Calls
  /** Begins to look for page views. */
  start (): void
}

export function openCollector (settings: Settings, store: Store): Collector {
  const identity = keepIdentity(store, settings.cookieIdentity)
  const outbox = openOutbox(store)
  const delivery = startDelivery(settings, outbox)
  let consent: Fields | undefined
  let views: PageViews | null = null
  let gone = false

  function send (type: EventType, fields: Fields, options: EventOptions = {}): void {
    const { anonymousId, userId, groupId } = identity.current()
    const messageId = options.messageId ?? uuid()
    const context = { ...contextOf(views === null ? document.referrer : views.referrer(), settings.hash), consent, groupId, ...options.context }
    const text = JSON.stringify({ type, messageId, timestamp: options.timestamp ?? new Date(), anonymousId, userId, ...fields, context })
    if (!outbox.add(messageId, text)) return warn('an event of more than 64 KB was dropped')
    // No timer runs in a page that ends; what its last handlers say goes out together.
    if (gone || document.visibilityState === 'hidden') Promise.resolve().then(() => delivery.leave(gone))
    else delivery.added()
  }

  addEventListener('pagehide', () => {
    if (views !== null) views.look()
    gone = true
    delivery.leave(true)
  })
  addEventListener('pageshow', ({ persisted }) => {
    gone = false
    if (!persisted) return
    outbox.adopt()
    delivery.wake()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') delivery.leave(false)
    else delivery.wake()
  })
  addEventListener('online', delivery.wake)
  outbox.adopt()
  delivery.added()

  return {
    calls: {
      track (event, properties, options) { send('track', { event, properties }, options) },
      page (name, properties, options) {
        if (typeof name === 'object' && name !== null) send('page', { properties: name }, properties)
        else send('page', { name: name ?? undefined, properties }, options)
      },
      identify (userId, traits, options) {
        if (typeof userId === 'object' && userId !== null) send('identify', { traits: identity.identify(undefined, userId).traits }, traits)
        else send('identify', { traits: identity.identify(userId == null ? undefined : String(userId), traits ?? {}).traits }, options)
      },
      group (groupId, traits, options) {
        identity.join(String(groupId))
        send('group', { groupId: String(groupId), traits }, options)
      },
      consent (choices) { consent = choices },
      reset: identity.reset
    },
    start () {
      if (!settings.autoPage) return
      views = followPageViews(settings.hash, () => send('page', {}))
      if (document.readyState !== 'loading') views.look()
    }
  }
}
