import { randomBase62 } from '../base62.js'

const LENGTH = 32
const KEY = /^dk_(live|test)_[A-Za-z0-9_-]{6,128}$/

/** The environment of a source that a key and each of its events belong to. */
export type Environment = 'live' | 'test'

/**
 * Creates a pipeline key: `dk_live_` or `dk_test_` and 32 random base62 characters, 190 bits (Datafly Signal
 * documentation, authentication).
 *
 * @example
 * generatePipelineKey('live') // 'dk_live_…'
 */
export function generatePipelineKey (environment: Environment): string {
  return `dk_${environment}_${randomBase62(LENGTH)}`
}

/**
 * Returns whether a string has the form of a pipeline key: `dk_live_` or `dk_test_` and 6 to 128 of `A-Z a-z 0-9 _ -`.
 * Generated keys have 32 base62 characters; keys of other systems may be shorter or longer. Does not check that the key
 * exists.
 *
 * @example
 * isPipelineKey('dk_live_abc123') // true
 */
export function isPipelineKey (value: string): boolean {
  return KEY.test(value)
}

/**
 * Returns the environment that a pipeline key names, or `null` for a string that is not a pipeline key.
 *
 * @example
 * environmentOf('dk_test_abc123') // 'test'
 */
export function environmentOf (key: string): Environment | null {
  const environment = KEY.exec(key)?.[1]
  return environment === 'live' || environment === 'test' ? environment : null
}
