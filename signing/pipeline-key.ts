import { randomBytes } from 'node:crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 32
const KEY = /^dk_(live|test)_[0-9A-Za-z]{32}$/

/** Bytes from here up are thrown away: 248 is the last multiple of 62 in a byte, so that each character is equally likely. */
const CEILING = 256 - 256 % BASE62.length

/** Which of a source's two worlds a key, and each of its events, belongs to. */
export type Environment = 'live' | 'test'

/** A new pipeline key: `dk_live_` or `dk_test_` and 32 random base62 characters, 190 bits (Datafly Signal, authentication page). */
export function generatePipelineKey (environment: Environment): string {
  let random = ''
  while (random.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      if (byte < CEILING && random.length < LENGTH) random += BASE62.charAt(byte % BASE62.length)
    }
  }
  return `dk_${environment}_${random}`
}

/** Whether a text has the form of a pipeline key; says nothing about whether it exists. */
export function isPipelineKey (text: string): boolean {
  return KEY.test(text)
}

/** The environment that a pipeline key names, or null for a text that is no pipeline key. */
export function environmentOf (key: string): Environment | null {
  const environment = KEY.exec(key)?.[1]
  return environment === 'live' || environment === 'test' ? environment : null
}
