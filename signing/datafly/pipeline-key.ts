import { randomBase62 } from '../base62.js'

const LENGTH = 32
const KEY = /^dk_(live|test)_[A-Za-z0-9_-]{6,128}$/

/** Which of a source's two worlds a key, and each of its events, belongs to. */
export type Environment = 'live' | 'test'

/** A new pipeline key: `dk_live_` or `dk_test_` and 32 random base62 characters, 190 bits (Datafly Signal, authentication page). */
export function generatePipelineKey (environment: Environment): string {
  return `dk_${environment}_${randomBase62(LENGTH)}`
}

/**
 * Whether a string has the form of a pipeline key: `dk_live_` or `dk_test_` and 6 to 128 of `A-Z a-z 0-9 _ -`. Generated keys have 32
 * base62 characters; a key that comes from another system may be shorter or longer. Says nothing about whether the key exists.
 *
 * @example
 * isPipelineKey('dk_live_abc123') // true
 */
export function isPipelineKey (text: string): boolean {
  return KEY.test(text)
}

/** The environment that a pipeline key names, or null for a string that is no pipeline key. */
export function environmentOf (key: string): Environment | null {
  const environment = KEY.exec(key)?.[1]
  return environment === 'live' || environment === 'test' ? environment : null
}
