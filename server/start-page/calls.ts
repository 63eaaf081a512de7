import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { maskedPath, shownHeaders } from './mask.js'

/** A program that takes part in an embed. `backend`: a server of the customer; `attacker`: a page or program of one. */
export type Party = 'browser' | 'server' | 'backend' | 'databrain' | 'boldbi' | 'dxfeed' | 'attacker'

/** The part of the start page that a call belongs to. */
export type Topic = 'databrain' | 'boldbi' | 'dxfeed' | 'events'

/** One request and its response, without credentials. */
export interface Call {
  /** Increases within a session. */
  id: number
  /** When the request arrived, in epoch milliseconds with fractions. */
  at: number
  topic: Topic
  from: Party
  to: Party
  method: string
  path: string
  headers: string[]
  status: number
  milliseconds: number
  /** The code and the message of a refusal. */
  code: string | null
  message: string | null
}

/** The session and the program on whose behalf the current work runs. */
interface Cause {
  session: string
  party: Party
}

const MAX_SESSIONS = 200
const MAX_CALLS = 150
const MAX_CONNECTIONS = 2_000
const MAX_TEXT = 300
/** Shown in the place of a code. */
const SDK_REFUSAL = 'ApiStatus: false'
const REQUEST = 'undici:request:create'
const SENDING = 'undici:client:sendHeaders'

/**
 * Records the calls of the start page's demo sessions, the newest of each, in memory. It records a call where it
 * arrives: at this server and at the mock products, which run in the same process. A call of a server is assigned to
 * the session on whose behalf the server works, by the connection that it comes from.
 */
export class CallRecorder {
  readonly #sessions = new Map<string, { trace: string, calls: Call[], last: number }>()
  readonly #traces = new Map<string, string>()
  readonly #working = new AsyncLocalStorage<Cause>()
  readonly #requests = new WeakMap<object, Cause>()
  /** Both ends of a connection of this process to the cause of its current request. */
  readonly #connections = new Map<string, Cause>()
  readonly #causes = new WeakMap<FastifyRequest, Cause>()

  /** Opens the timeline of a session and returns the id by which pages of mock products refer to it. */
  open (session: string): string {
    const known = this.#sessions.get(session)
    if (known !== undefined) return known.trace
    const [oldest] = this.#sessions.size >= MAX_SESSIONS ? this.#sessions.entries() : []
    if (oldest !== undefined) {
      this.#sessions.delete(oldest[0])
      this.#traces.delete(oldest[1].trace)
    }
    const trace = randomBytes(16).toString('base64url')
    this.#sessions.set(session, { trace, calls: [], last: 0 })
    this.#traces.set(trace, session)
    return trace
  }

  /** Returns the session of a page's trace id, or `null`. */
  sessionOf (trace: unknown): string | null {
    return typeof trace === 'string' ? this.#traces.get(trace) ?? null : null
  }

  /** Returns the calls of a session after the given id, oldest first. */
  list (session: string, after: number): Call[] {
    return this.#sessions.get(session)?.calls.filter(({ id }) => id > after) ?? []
  }

  /** Adds a call that ends now. */
  add (session: string, call: Omit<Call, 'id' | 'at'>): void {
    const timeline = this.#sessions.get(session)
    if (timeline === undefined) return
    const at = performance.timeOrigin + performance.now() - call.milliseconds
    timeline.calls.push({ ...call, at, id: ++timeline.last })
    if (timeline.calls.length > MAX_CALLS) timeline.calls.shift()
  }

  /** Runs work whose requests are recorded for a session, as calls of a program. */
  run<T> (session: string, party: Party, work: () => T): T {
    return this.#working.run({ session, party }, work)
  }

  /** Follows the requests that this process sends, until the app closes. */
  follow (app: FastifyInstance): void {
    const onCreate = (message: unknown): void => {
      const cause = this.#working.getStore()
      if (cause !== undefined) this.#requests.set((message as { request: object }).request, cause)
    }
    const onSend = (message: unknown): void => {
      const { request, socket } = message as { request: object, socket: Socket }
      const cause = this.#requests.get(request)
      if (cause === undefined) return
      const { localAddress, localPort, remoteAddress, remotePort } = socket
      const oldest = this.#connections.size >= MAX_CONNECTIONS ? this.#connections.keys().next().value : undefined
      if (oldest !== undefined) this.#connections.delete(oldest)
      this.#connections.set(connectionOf([localAddress, localPort], [remoteAddress, remotePort]), cause)
    }
    subscribe(REQUEST, onCreate)
    subscribe(SENDING, onSend)
    app.addHook('onClose', async () => {
      unsubscribe(REQUEST, onCreate)
      unsubscribe(SENDING, onSend)
    })
  }

  /**
   * Records the requests that an app receives. `sessionOf` returns the session of a browser's request, `topicOf` the
   * topic of a path, `null` for paths that are not recorded.
   */
  watch (app: FastifyInstance, { party, sessionOf, topicOf }: WatchOptions): void {
    const refusals = new WeakMap<FastifyRequest, Pick<Call, 'code' | 'message'>>()

    app.addHook('onRequest', (request, _reply, done) => {
      const { localAddress, localPort, remoteAddress, remotePort } = request.raw.socket
      const connection = connectionOf([remoteAddress, remotePort], [localAddress, localPort])
      const cause = this.#connections.get(connection) ?? browser(sessionOf(request))
      // The caller registers the connection again with its next request.
      this.#connections.delete(connection)
      if (cause !== null) this.#causes.set(request, cause)
      done()
    })
    // After the body has been read, which loses the context of onRequest.
    app.addHook('preHandler', (request, _reply, done) => {
      const cause = this.#causes.get(request)
      if (cause === undefined) return done()
      this.#working.run({ session: cause.session, party }, done)
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      const refused = reply.statusCode >= 400 || isSdkRefusal(payload)
      if (refused && this.#causes.has(request)) refusals.set(request, refusalIn(payload))
      done(null, payload)
    })
    app.addHook('onResponse', (request, reply, done) => {
      const cause = this.#causes.get(request)
      const url = request.raw.url ?? ''
      const topic = topicOf(pathOf(url))
      if (cause !== undefined && topic !== null) {
        this.add(cause.session, {
          topic,
          from: cause.party,
          to: party,
          method: request.method,
          path: maskedPath(url),
          headers: shownHeaders(request.headers),
          status: reply.statusCode,
          milliseconds: Math.round(reply.elapsedTime * 10) / 10,
          code: null,
          message: null,
          ...refusals.get(request)
        })
      }
      done()
    })
  }
}

export interface WatchOptions {
  party: Party
  sessionOf(request: FastifyRequest): string | null
  topicOf(path: string): Topic | null
}

type End = readonly [address: string | undefined, port: number | undefined]

/** Names a connection alike on both of its ends. Its port alone would also be that of a program on another machine. */
function connectionOf (caller: End, receiver: End): string {
  // A server that listens on IPv6 too sees IPv4 addresses in this form.
  return [...caller, ...receiver].join(' ').replaceAll('::ffff:', '')
}

function browser (session: string | null): Cause | null {
  return session === null ? null : { session, party: 'browser' }
}

function pathOf (url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? url : url.slice(0, at)
}

/** Whether a response refuses in the form of Bold BI's SDK, which may have status 200. */
function isSdkRefusal (payload: unknown): boolean {
  return typeof payload === 'string' && payload.startsWith('{"ApiStatus":false')
}

/** Reads the envelope of this server, and the errors of DataBrain and Bold BI. */
function refusalIn (payload: unknown): Pick<Call, 'code' | 'message'> {
  try {
    const { error, Message, ApiStatus } = JSON.parse(String(payload)) as {
      ApiStatus?: unknown
      error?: { code?: unknown, message?: unknown } | string
      Message?: unknown
    }
    const code = typeof error === 'object' ? error.code : error
    const message = typeof error === 'object' ? error.message : Message
    return { code: shortText(code) ?? (ApiStatus === false ? SDK_REFUSAL : null), message: shortText(message) }
  } catch {
    return { code: null, message: null }
  }
}

function shortText (value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : null
}
