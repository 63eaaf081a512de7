import type { EventType } from '../../schemas/event'
import { contextOf } from './context'
import { startDelivery } from './delivery'
import { keepIdentity } from './identity'
import type { Fields } from './identity'
import { openOutbox } from './outbox'
import { ofDocument } from './of-document'
import { pageContext } from './page-context'
import type { PageContext } from './page-context'
import { followPageViews } from './page-views'
import type { PageViews } from './page-views'
import { fieldsOf, idOf, isFields } from './parameters'
import type { Settings } from './settings'
import type { Store } from './store'
import { uuid } from './uuid'
import { warn } from './warn'

/** Optional settings of one event. */
export interface EventOptions {
  /** Events with the same id are stored once within 24 hours. Default: a random UUID. */
  messageId?: string
  /** Default: the current time. */
  timestamp?: string | Date
  /** Overrides properties of the context that the collector creates. */
  context?: Fields
}

/**
 * The calls of a page, by name. A call with an invalid id, or with fields that are not an object, throws and changes
 * nothing.
 */
export interface Calls {
  track(event: string, properties?: Fields | null, options?: EventOptions | null): void
  page(name?: string | Fields | null, properties?: Fields | null, options?: EventOptions | null): void
  /** `identify(traits)` adds traits to the current visitor. */
  identify(userId: string | number | Fields, traits?: Fields | null, options?: EventOptions | null): void
  group(groupId: string | number, traits?: Fields | null, options?: EventOptions | null): void
  /** Sets the visitor's choices, which later events of this page contain as `context.consent`. */
  consent(choices?: Fields | null): void
  /** Forgets the visitor; call it at logout. */
  reset(): void
}

export interface Collector {
  calls: Calls
  /** Starts to follow page views. */
  start(): void
}

export function openCollector (settings: Settings, store: Store): Collector {
  const identity = keepIdentity(store, settings.cookieIdentity)
  const outbox = openOutbox(store)
  const delivery = startDelivery(settings, outbox)
  let consent: Fields | undefined
  let views: PageViews | null = null
  let hidden = false

  function eventOf (type: EventType, fields: Fields, given?: unknown, page = currentPage()) {
    const options: EventOptions = fieldsOf(given, 'options') ?? {}
    const { anonymousId, userId, groupId } = identity.current()
    const messageId = options.messageId ?? uuid()
    const context: Fields = { ...contextOf(page), consent, groupId, ...fieldsOf(options.context, 'options.context') }
    return { type, messageId, timestamp: options.timestamp ?? new Date(), anonymousId, userId, ...fields, context }
  }

  function send (type: EventType, fields: Fields, given?: unknown): void {
    const event = eventOf(type, fields, given)
    if (outbox.add(event.messageId, JSON.stringify(event)) === null) warn('an event over 64 KB was dropped')
    else deliver()
  }

  /** Adds the page view in its order among the events, and defers it until its title is known. */
  function view (page: PageContext): (page: PageContext) => void {
    const event = eventOf('page', {}, undefined, page)
    const item = outbox.add(event.messageId, JSON.stringify(event), true)
    return (page) => {
      event.context['page'] = page
      if (item !== null) outbox.release(item, JSON.stringify(event))
      deliver()
    }
  }

  function deliver (): void {
    // No timer runs in a page that ends, so the events of its last handlers are sent together.
    if (hidden || document.visibilityState === 'hidden') Promise.resolve().then(() => delivery.leave(hidden))
    else delivery.added()
  }

  function currentPage (): PageContext {
    return pageContext(views === null ? ofDocument('referrer') : views.referrer(), settings.hash)
  }

  addEventListener('pagehide', () => {
    views?.flush()
    hidden = true
    delivery.leave(true)
  })
  addEventListener('pageshow', ({ persisted }) => {
    hidden = false
    if (!persisted) return
    outbox.adopt()
    delivery.wake()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      views?.flush()
      delivery.leave(false)
    } else {
      delivery.wake()
    }
  })
  addEventListener('online', delivery.wake)
  outbox.adopt()
  delivery.added()

  return {
    calls: {
      track (event, properties, options) {
        send('track', { event, properties: fieldsOf(properties, 'properties') }, options)
      },
      page (name, properties, options) {
        if (isFields(name)) return send('page', { properties: name }, properties)
        send('page', { name: name ?? undefined, properties: fieldsOf(properties, 'properties') }, options)
      },
      identify (userId, traits, options) {
        if (isFields(userId)) return send('identify', { traits: identity.identify(undefined, userId).traits }, traits)
        const known = identity.identify(idOf(userId, 'userId'), fieldsOf(traits, 'traits') ?? {})
        send('identify', { traits: known.traits }, options)
      },
      group (groupId, traits, options) {
        const fields = { groupId: idOf(groupId, 'groupId'), traits: fieldsOf(traits, 'traits') }
        identity.join(fields.groupId)
        send('group', fields, options)
      },
      consent (choices) {
        consent = fieldsOf(choices, 'choices')
      },
      reset: identity.reset
    },
    start () {
      if (!settings.autoPage) return
      views = followPageViews(settings, view)
      if (document.readyState !== 'loading') views.begin()
    }
  }
}
