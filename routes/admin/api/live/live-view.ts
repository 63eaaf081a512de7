import type { Server } from 'node:net'

import type { Admin } from '../../../../plugins/admin-guard/index.js'
import { TOO_MANY_CONNECTIONS, UNAVAILABLE } from '../../../../lib/errors.js'
import type { EventFeed } from '../../../../plugins/event-feed/index.js'
import { AccessCheck } from '../access-check.js'
import { LiveChannel, statsFrame } from './channel.js'
import type { LiveLimits } from './options.js'
import type { LiveViewer } from './viewer.js'

interface Audience { channel: LiveChannel, feed: EventFeed, unwatch: () => void }
type Caller = Pick<Admin, 'org_id' | 'sub'>

const SECOND = 1_000
/** Seconds for which the events of an organisation without viewers are kept, for viewers that reconnect. */
const KEEP_SECONDS = 30

/**
 * All viewers of this process. Limits their number, and checks once per second whether their tokens are still valid.
 */
export class LiveView {
  readonly #limits: LiveLimits
  readonly #server: Server
  readonly #audiences = new Map<string, Audience>()
  readonly #checks = new Map<LiveViewer, AccessCheck>()
  /** Number of viewers by user id. */
  readonly #viewersByUser = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #ticks = 0
  #served = false
  #closed = false

  constructor (limits: LiveLimits, server: Server) {
    this.#limits = limits
    this.#server = server
  }

  /** Throws `TOO_MANY_CONNECTIONS` at a limit, and `UNAVAILABLE` while the server closes. */
  assertCapacity ({ org_id: orgId, sub }: Caller): void {
    if (this.#closed) throw new UNAVAILABLE({ reason: 'the live view is closed' })
    const { maxViewers, maxViewersPerUser, maxViewersTotal } = this.#limits
    if ((this.#viewersByUser.get(sub) ?? 0) >= maxViewersPerUser) {
      throw new TOO_MANY_CONNECTIONS({ message: 'You have too many live views open', retryAfterSeconds: KEEP_SECONDS })
    }
    const ofOrganisation = this.#audiences.get(orgId)?.channel.viewers.size ?? 0
    if (ofOrganisation >= maxViewers || this.#checks.size >= maxViewersTotal) {
      throw new TOO_MANY_CONNECTIONS({ message: 'Too many viewers are watching', retryAfterSeconds: KEEP_SECONDS })
    }
  }

  join ({ org_id: orgId, sub }: Caller, feed: EventFeed, viewer: LiveViewer): void {
    const { channel } = this.#audience(orgId, feed)
    const { reply, filter } = viewer
    channel.viewers.add(viewer)
    this.#checks.set(viewer, new AccessCheck(reply.request, () => viewer.end()))
    this.#viewersByUser.set(sub, (this.#viewersByUser.get(sub) ?? 0) + 1)
    reply.sse.onClose(() => {
      if (!this.#checks.delete(viewer)) return
      channel.viewers.delete(viewer)
      this.#leave(sub)
    })
    if (reply.sse.lastEventId !== null) channel.replay(viewer, reply.sse.lastEventId)
    viewer.send(statsFrame(feed, orgId, filter.sourceId))
    this.#served ||= this.#server.listening
    this.#timer ??= setInterval(this.#tick, SECOND).unref()
  }

  endAll (): void {
    for (const viewer of this.#checks.keys()) viewer.end()
  }

  /** Ends all streams and stops watching events. */
  close (): void {
    this.#closed = true
    this.endAll()
    for (const { unwatch } of this.#audiences.values()) unwatch()
    this.#audiences.clear()
    this.#stopTimer()
  }

  #leave (sub: string): void {
    const left = (this.#viewersByUser.get(sub) ?? 0) - 1
    if (left > 0) this.#viewersByUser.set(sub, left)
    else this.#viewersByUser.delete(sub)
  }

  #audience (orgId: string, feed: EventFeed): Audience {
    const known = this.#audiences.get(orgId)
    if (known !== undefined) return known
    this.#removeIdle()
    const channel = new LiveChannel(this.#limits)
    const audience = { channel, feed, unwatch: feed.watch(orgId, channel) }
    this.#audiences.set(orgId, audience)
    return audience
  }

  /** Removes an organisation without viewers if the map is full, which bounds the map. */
  #removeIdle (): void {
    if (this.#audiences.size < this.#limits.maxViewersTotal) return
    for (const [orgId, { channel }] of this.#audiences) if (channel.viewers.size === 0) return this.#remove(orgId)
  }

  #remove (orgId: string): void {
    this.#audiences.get(orgId)?.unwatch()
    this.#audiences.delete(orgId)
  }

  #stopTimer (): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  readonly #tick = (): void => {
    this.#ticks++
    // A server that has stopped listening is closing, and waits for its open connections.
    if (this.#served && !this.#server.listening) this.endAll()
    for (const [orgId, { channel, feed }] of this.#audiences) {
      channel.tick()
      for (const viewer of channel.viewers) this.#updateViewer(viewer, orgId, feed)
      if (channel.idleSeconds > KEEP_SECONDS) this.#remove(orgId)
    }
    if (this.#audiences.size === 0) this.#stopTimer()
  }

  #updateViewer (viewer: LiveViewer, orgId: string, feed: EventFeed): void {
    this.#checks.get(viewer)?.tick()
    viewer.tick()
    if (this.#isDue(this.#limits.heartbeat)) viewer.heartbeat()
    if (this.#isDue(this.#limits.statsEvery)) viewer.send(statsFrame(feed, orgId, viewer.filter.sourceId))
  }

  #isDue (every: number): boolean {
    return this.#ticks % (every / SECOND) === 0
  }
}
