import { withDeadline } from '../deadline.js'
import { assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../options.js'
import type { AssertOption, KnownOptions } from '../options.js'
import type { RedisClientSlice, RedisSubscriberSlice } from './client-slice.js'
import { RedisScript } from './script.js'

/** Options of `RedisLink`. */
export interface RedisLinkOptions {
  /** An `ioredis` client, which stays open. Set `enableOfflineQueue: false` so that it does not queue commands. */
  client: RedisClientSlice
  /**
   * A second connection for messages: `client.duplicate({ autoResubscribe: false })`. `RedisLink` subscribes again
   * after a reconnection, as a failure of the client's own attempt would be unhandled. Default: none; no messages are
   * received.
   */
  subscriber?: RedisSubscriberSlice
  /** Prefix of every key and channel; braces keep all keys in one slot of a cluster. Default: `{gatehouse}:`. */
  prefix?: string
  /** Timeout of a command, milliseconds, at most 4 000. Default: 250. */
  commandTimeout?: number
  /** Called once when Redis becomes unavailable: it fails, refuses or does not respond in time. Default: none. */
  onAway?: (error: Error) => void
  /** Called when Redis is available again. Default: none. */
  onBack?: () => void
}

/** Receives the messages of a channel. */
export interface MessageHandlers {
  onMessage(message: string): void
  /** Called when messages may have been missed, as the connection was lost. */
  onGap(): void
}

const KNOWN: KnownOptions<RedisLinkOptions> = {
  client: true,
  subscriber: true,
  prefix: true,
  commandTimeout: true,
  onAway: true,
  onBack: true
}
const assertOption: AssertOption = optionAssertion('redis')
/** Interval of probes while Redis is unavailable, milliseconds. */
const PROBE_INTERVAL = 1_000
const MAX_TIMEOUT = 4_000

/** KEYS: a key. The probe writes, so that a read-only replica fails it. */
const PROBE = new RedisScript("return redis.call('SET', KEYS[1], '1', 'PX', 1000)")

/**
 * Best-effort Redis: a command that fails or times out resolves with `undefined`, and the caller falls back. After a
 * failure no command is sent until a probe, once a second, succeeds, so that requests do not wait.
 *
 * @example
 * const link = new RedisLink({ client, subscriber: client.duplicate({ autoResubscribe: false }) })
 */
export class RedisLink {
  readonly prefix: string
  readonly #client: RedisClientSlice
  readonly #subscriber: RedisSubscriberSlice | undefined
  readonly #timeout: number
  readonly #onAway: (error: Error) => void
  readonly #onBack: () => void
  readonly #returnListeners = new Set<() => void>()
  #away = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #lastError: Error | undefined

  constructor (options: RedisLinkOptions) {
    refuseUnknownMembers('RedisLink', '', options, KNOWN)
    const { client, subscriber, prefix = '{gatehouse}:', commandTimeout = 250, onAway = () => {}, onBack = () => {} } =
      options
    assertOption(typeof client?.evalsha === 'function', 'client', 'an ioredis client')
    assertWholeNumber('redis', 'commandTimeout', commandTimeout, { max: MAX_TIMEOUT, unit: 'milliseconds' })
    this.prefix = prefix
    this.#client = client
    this.#subscriber = subscriber
    this.#timeout = commandTimeout
    this.#onAway = onAway
    this.#onBack = onBack
    client.on('error', this.#noteError)
    client.on('close', this.#lost)
    client.on('ready', this.#connected)
    // Both connections fail together, so the error is only noted; without a listener ioredis prints each error.
    subscriber?.on('error', this.#noteError)
  }

  /** Whether Redis is unavailable: the last command failed or timed out. */
  get away (): boolean {
    return this.#away
  }

  /** Runs a script. `undefined` if Redis is unavailable, refuses or times out; the script may still have run. */
  run (
    script: RedisScript,
    keys: readonly string[],
    args: ReadonlyArray<string | number>
  ): Promise<unknown> | undefined {
    return this.#away ? undefined : this.#run(script, keys, args)
  }

  /** Subscribes to a channel; returns a function that unsubscribes. */
  subscribe (channel: string, { onMessage, onGap }: MessageHandlers): () => void {
    const subscriber = this.#subscriber
    if (subscriber === undefined) return () => {}
    const name = this.prefix + channel
    const receive = (from: string, message: string) => {
      if (from === name) onMessage(message)
    }
    // Subscribes itself at each connection: only then is it known when messages may have been missed.
    const subscribe = () => {
      subscriber.subscribe(name).then(onGap, () => {})
    }
    subscriber.on('message', receive)
    subscriber.on('ready', subscribe)
    if (subscriber.status === 'ready') subscribe()
    return () => {
      subscriber.off('message', receive)
      subscriber.off('ready', subscribe)
    }
  }

  /** Calls a listener whenever Redis is available again; returns a function that removes it. */
  onReturn (listener: () => void): () => void {
    this.#returnListeners.add(listener)
    return () => {
      this.#returnListeners.delete(listener)
    }
  }

  /** Removes its listeners from the connections, which stay open. */
  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#client.off('close', this.#lost)
    this.#client.off('ready', this.#connected)
  }

  #run (
    script: RedisScript,
    keys: readonly string[],
    args: ReadonlyArray<string | number>
  ): Promise<unknown> | undefined {
    if (this.#client.status !== 'ready') return undefined
    return this.#withTimeout(script.run(this.#client, keys.map((key) => this.prefix + key), args))
  }

  async #withTimeout (response: Promise<unknown>): Promise<unknown> {
    try {
      const result = await withDeadline(response, this.#timeout, this.#overdue)
      if (this.#away) this.#markBack()
      return result
    } catch (error) {
      this.#markAway(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  readonly #overdue = (): Error => new Error(`Redis did not respond within ${this.#timeout} ms`)

  readonly #noteError = (error: Error): void => {
    this.#lastError = error
  }

  readonly #lost = (): void => {
    this.#markAway(this.#lastError ?? new Error('The connection to Redis was lost'))
  }

  readonly #connected = (): void => {
    this.#lastError = undefined
    if (this.#away) this.#run(PROBE, ['try'], [])
  }

  readonly #probe = async (): Promise<void> => {
    await this.#run(PROBE, ['try'], [])
    if (this.#away && !this.#closed) this.#timer = setTimeout(this.#probe, PROBE_INTERVAL).unref()
  }

  #markAway (error: Error): void {
    if (this.#away || this.#closed) return
    this.#away = true
    this.#timer = setTimeout(this.#probe, PROBE_INTERVAL).unref()
    this.#onAway(error)
  }

  #markBack (): void {
    this.#away = false
    clearTimeout(this.#timer)
    this.#onBack()
    for (const listener of this.#returnListeners) listener()
  }
}
