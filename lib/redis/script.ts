import { hash } from 'node:crypto'

import type { RedisClientSlice } from './client-slice.js'

/** A Lua script, which Redis runs atomically. Sent by its digest; the source follows if the server does not know it. */
export class RedisScript {
  readonly #source: string
  readonly #sha1: string

  constructor (source: string) {
    this.#source = source
    this.#sha1 = hash('sha1', source)
  }

  async run (
    client: RedisClientSlice,
    keys: readonly string[],
    args: ReadonlyArray<string | number>
  ): Promise<unknown> {
    try {
      return await client.evalsha(this.#sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.eval(this.#source, keys.length, ...keys, ...args)
    }
  }
}
