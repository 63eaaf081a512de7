import { hash } from 'node:crypto'

import type { RedisClientSlice } from './client-slice.js'

/** A Lua script, which is atomic, sent by its digest; the server gets its text when it does not know it. */
export class RedisScript {
  readonly #text: string
  readonly #sha1: string

  constructor (text: string) {
    this.#text = text
    this.#sha1 = hash('sha1', text)
  }

  async run (client: RedisClientSlice, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<unknown> {
    try {
      return await client.evalsha(this.#sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.eval(this.#text, keys.length, ...keys, ...args)
    }
  }
}
