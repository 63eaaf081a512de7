import { withDeadline } from '../deadline.js'
import { INVALID_OPTIONS } from '../errors.js'
import { refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import type { RedisClientSlice, RedisSubscriberSlice } from './client-slice.js'
import { RedisScript } from './script.js'

export interface RedisLinkOptions {
  /** A client of `ioredis`, which stays open; made with `enableOfflineQueue: false` it keeps nothing while Redis is away. */
  client: RedisClientSlice
  /**
   * A second connection, for messages, as `client.duplicate({ autoResubscribe: false })` makes one: it is subscribed anew here, and a failure
   * of the client's own attempt would go unhandled. Default: none, and nothing is heard of other instances.
   */
  subscriber?: RedisSubscriberSlice
  /** What every key and channel begins with. In braces, so that a cluster keeps all of it in one place. Default: `{gatehouse}:`. */
  prefix?: string
  /** Milliseconds until a command without an answer is given up. Default: 250. */
  commandTimeout?: number
  /** Told once when Redis is away, does not answer in time or refuses. Default: nobody. */
  onAway?: (error: Error) => void
  /** Told when it answers again. Default: nobody. */
  onBack?: () => void
}

export interface MessageHandlers {
  onMessage (message: string): void
  /** Messages may have been missed: the connection was away. */
  onGap (): void
}

const KNOWN: KnownOptions<RedisLinkOptions> = { client: true, subscriber: true, prefix: true, commandTimeout: true, onAway: true, onBack: true }
/** How often a Redis that failed is tried, milliseconds. */
const PAUSE = 1_000
const LONGEST_TIMEOUT = 4_000

/** KEYS: a key. Writes, as one that may only be read would not do. */
const TRY = new RedisScript("return redis.call('SET', KEYS[1], '1', 'PX', 1000)")

/**
 * Redis as a help that may fail: a command that can't be answered in time resolves with `undefined`, and whoever asked does without.
 * After a failure nobody's command goes there until one of its own, once a second, has been answered: no request waits for it.
 */
export class RedisLink {
  readonly prefix: string
  readonly #client: RedisClientSlice
  readonly #subscriber: RedisSubscriberSlice | undefined
  readonly #timeout: number
  readonly #onAway: (error: Error) => void
  readonly #onBack: () => void
  readonly #returns = new Set<() => void>()
  #away = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #lastError: Error | undefined

  constructor (options: RedisLinkOptions) {
    refuseUnknownMembers('RedisLink', '', options, KNOWN)
    const { client, subscriber, prefix = '{gatehouse}:', commandTimeout = 250, onAway = () => {}, onBack = () => {} } = options
    if (typeof client?.evalsha !== 'function') throw new INVALID_OPTIONS('redis: "client" is no client of ioredis')
    if (!(commandTimeout > 0 && commandTimeout <= LONGEST_TIMEOUT)) throw new INVALID_OPTIONS(`redis: "commandTimeout" must be 1 to ${LONGEST_TIMEOUT} milliseconds`)
    this.prefix = prefix
    this.#client = client
    this.#subscriber = subscriber
    this.#timeout = commandTimeout
    this.#onAway = onAway
    this.#onBack = onBack
    client.on('error', this.#noteError)
    client.on('close', this.#lost)
    client.on('ready', this.#connected)
    // Its losses are the other connection's too; without a listener each would be printed.
    subscriber?.on('error', this.#noteError)
  }

  /** Whether Redis answered when it was last asked. */
  get away (): boolean {
    return this.#away
  }

  /** Runs a script; `undefined` where Redis is away, refuses or does not answer in time: it may have run nevertheless. */
  run (script: RedisScript, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<unknown> | undefined {
    return this.#away ? undefined : this.#run(script, keys, args)
  }

  /** Hears what is published on a channel; what ends it. */
  subscribe (channel: string, { onMessage, onGap }: MessageHandlers): () => void {
    const subscriber = this.#subscriber
    if (subscriber === undefined) return () => {}
    const name = this.prefix + channel
    const hear = (from: string, message: string) => { if (from === name) onMessage(message) }
    // A client subscribes again by itself; whether it had done so before a message came is not known.
    const begin = () => { subscriber.subscribe(name).then(onGap, () => {}) }
    subscriber.on('message', hear)
    subscriber.on('ready', begin)
    if (subscriber.status === 'ready') begin()
    return () => {
      subscriber.off('message', hear)
      subscriber.off('ready', begin)
    }
  }

  /** Calls a listener whenever Redis answers again; returns what ends that. */
  onReturn (listener: () => void): () => void {
    this.#returns.add(listener)
    return () => { this.#returns.delete(listener) }
  }

  /** Takes its listeners from the connections, which stay open. */
  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#client.off('close', this.#lost)
    this.#client.off('ready', this.#connected)
  }

  #run (script: RedisScript, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<unknown> | undefined {
    if (this.#client.status !== 'ready') return undefined
    return this.#limited(script.run(this.#client, keys.map((key) => this.prefix + key), args))
  }

  async #limited (answer: Promise<unknown>): Promise<unknown> {
    try {
      const result = await withDeadline(answer, this.#timeout, this.#overdue)
      if (this.#away) this.#isBack()
      return result
    } catch (error) {
      this.#isAway(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  readonly #overdue = (): Error => new Error(`Redis did not answer within ${this.#timeout} ms`)

  readonly #noteError = (error: Error): void => {
    this.#lastError = error
  }

  readonly #lost = (): void => {
    this.#isAway(this.#lastError ?? new Error('The connection to Redis was lost'))
  }

  readonly #connected = (): void => {
    this.#lastError = undefined
    if (this.#away) this.#run(TRY, ['try'], [])
  }

  readonly #tryAgain = async (): Promise<void> => {
    await this.#run(TRY, ['try'], [])
    if (this.#away && !this.#closed) this.#timer = setTimeout(this.#tryAgain, PAUSE).unref()
  }

  #isAway (error: Error): void {
    if (this.#away || this.#closed) return
    this.#away = true
    this.#timer = setTimeout(this.#tryAgain, PAUSE).unref()
    this.#onAway(error)
  }

  #isBack (): void {
    this.#away = false
    clearTimeout(this.#timer)
    this.#onBack()
    for (const listener of this.#returns) listener()
  }
}
