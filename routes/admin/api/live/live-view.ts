import type { Server } from 'node:net'

import { recheckAdmin } from '../../../../plugins/admin-guard/index.js'
import type { Admin } from '../../../../plugins/admin-guard/index.js'
import { TOO_MANY_CONNECTIONS, UNAVAILABLE } from '../../../../lib/errors.js'
import type { EventFeed } from '../../../../plugins/event-feed/index.js'
import { LiveChannel, statsFrame } from './channel.js'
import type { LiveLimits } from './options.js'
import type { LiveViewer } from './viewer.js'

interface Audience { channel: LiveChannel, feed: EventFeed, unwatch: () => void }
type Caller = Pick<Admin, 'org_id' | 'sub'>
interface Standing { pending: boolean, unanswered: number }

const SECOND = 1_000
/** Seconds for which events are kept for viewers who come back to an organisation that nobody watches any more. */
const LINGER = 30
/** Seconds without an answer whether a viewer may still watch. */
const MAX_UNANSWERED = 5

/** All viewers of this process: how many there may be, and once a second, by one timer, whether they still may. */
export class LiveView {
  readonly #limits: LiveLimits
  readonly #server: Server
  readonly #audiences = new Map<string, Audience>()
  readonly #standings = new Map<LiveViewer, Standing>()
  /** Viewers by the id of their user. */
  readonly #ofUser = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #beats = 0
  #served = false
  #closed = false

  constructor (limits: LiveLimits, server: Server) {
    this.#limits = limits
    this.#server = server
  }

  /** Throws `TOO_MANY_CONNECTIONS`, or `UNAVAILABLE` on the way down. */
  assertRoom ({ org_id: orgId, sub }: Caller): void {
    if (this.#closed) throw new UNAVAILABLE({ reason: 'the live view is closed' })
    const { maxViewers, maxViewersPerUser, maxViewersTotal } = this.#limits
    if ((this.#ofUser.get(sub) ?? 0) >= maxViewersPerUser) {
      throw new TOO_MANY_CONNECTIONS({ message: 'You have too many live views open', retryAfterSeconds: LINGER })
    }
    const ofOrganisation = this.#audiences.get(orgId)?.channel.viewers.size ?? 0
    if (ofOrganisation >= maxViewers || this.#standings.size >= maxViewersTotal) {
      throw new TOO_MANY_CONNECTIONS({ message: 'Too many viewers are watching', retryAfterSeconds: LINGER })
    }
  }

  join ({ org_id: orgId, sub }: Caller, feed: EventFeed, viewer: LiveViewer): void {
    const { channel } = this.#audience(orgId, feed)
    const { reply, filter } = viewer
    channel.viewers.add(viewer)
    this.#standings.set(viewer, { pending: false, unanswered: 0 })
    this.#ofUser.set(sub, (this.#ofUser.get(sub) ?? 0) + 1)
    reply.sse.onClose(() => {
      if (!this.#standings.delete(viewer)) return
      channel.viewers.delete(viewer)
      this.#leave(sub)
    })
    if (reply.sse.lastEventId !== null) channel.replay(viewer, reply.sse.lastEventId)
    viewer.send(statsFrame(feed, orgId, filter.sourceId))
    this.#served ||= this.#server.listening
    this.#timer ??= setInterval(this.#beat, SECOND).unref()
  }

  endAll (): void {
    for (const viewer of this.#standings.keys()) viewer.end()
  }

  /** Ends all, and hears no more of any event. */
  close (): void {
    this.#closed = true
    this.endAll()
    for (const { unwatch } of this.#audiences.values()) unwatch()
    this.#audiences.clear()
    this.#rest()
  }

  #leave (sub: string): void {
    const left = (this.#ofUser.get(sub) ?? 0) - 1
    if (left > 0) this.#ofUser.set(sub, left)
    else this.#ofUser.delete(sub)
  }

  #audience (orgId: string, feed: EventFeed): Audience {
    const known = this.#audiences.get(orgId)
    if (known !== undefined) return known
    this.#makeRoom()
    const channel = new LiveChannel(this.#limits)
    const audience = { channel, feed, unwatch: feed.watch(orgId, channel) }
    this.#audiences.set(orgId, audience)
    return audience
  }

  /** Organisations that come and go must not add up. */
  #makeRoom (): void {
    if (this.#audiences.size < this.#limits.maxViewersTotal) return
    for (const [orgId, { channel }] of this.#audiences) if (channel.viewers.size === 0) return this.#forget(orgId)
  }

  #forget (orgId: string): void {
    this.#audiences.get(orgId)?.unwatch()
    this.#audiences.delete(orgId)
  }

  #rest (): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  readonly #beat = (): void => {
    this.#beats++
    // A server that takes no connections any more is on its way down, and waits for those that are open.
    if (this.#served && !this.#server.listening) this.endAll()
    for (const [orgId, { channel, feed }] of this.#audiences) {
      channel.beat()
      for (const viewer of channel.viewers) this.#attend(viewer, orgId, feed)
      if (channel.idle > LINGER) this.#forget(orgId)
    }
    if (this.#audiences.size === 0) this.#rest()
  }

  #attend (viewer: LiveViewer, orgId: string, feed: EventFeed): void {
    this.#recheck(viewer)
    viewer.beat()
    if (this.#isDue(this.#limits.heartbeat)) viewer.heartbeat()
    if (this.#isDue(this.#limits.statsEvery)) viewer.send(statsFrame(feed, orgId, viewer.filter.sourceId))
  }

  #isDue (every: number): boolean {
    return this.#beats % (every / SECOND) === 0
  }

  /** Ends the stream once the token has expired or was revoked, and also if that can't be found out. */
  #recheck (viewer: LiveViewer): void {
    const standing = this.#standings.get(viewer)
    if (standing === undefined) return
    if (standing.unanswered++ >= MAX_UNANSWERED) return viewer.end()
    if (standing.pending) return
    standing.pending = true
    recheckAdmin(viewer.reply.request).then(() => {
      standing.pending = false
      standing.unanswered = 0
    }, () => viewer.end())
  }
}
