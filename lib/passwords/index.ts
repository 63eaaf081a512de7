import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'

import type { BreachRange } from './breach-check.js'
import { INVALID_OPTIONS, UNAVAILABLE } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { Semaphore } from '../semaphore.js'

export interface PasswordOptions {
  /** Memory per hash, in KiB. Minimum and default: 19 456 (19 MiB). */
  memoryCost?: number
  /** Number of passes over the memory. Minimum and default: 2. */
  timeCost?: number
  /** Number of lanes. Default: 1. */
  parallelism?: number
  /**
   * Maximum number of concurrent hashes. Default: one less than the number of processors, from 1 to 3, because hashing
   * shares a pool of four threads with file access and DNS.
   */
  concurrency?: number
  /** Maximum number of hashes that wait; beyond it, 503 `UNAVAILABLE`. Default: 200. */
  maxWaiting?: number
  /**
   * Words that a new password must not be made of, such as the names of your company, products and projects, at most
   * 1 000. Default: none; the names of this service are always refused.
   */
  contextWords?: readonly string[]
  /**
   * Refuses new passwords that are in a list of breached passwords. `true` asks the range API of Have I Been Pwned; a
   * function returns the range of a SHA-1 prefix from a list of your own. Only the first five hexadecimal digits of the
   * SHA-1 are sent. Without a list within 2 s the password is accepted, and the log says so. Default: `false`.
   */
  breachCheck?: boolean | BreachRange
}

/** Hashes and verifies passwords with argon2id, a few at a time. */
export interface Passwords {
  /** Returns the hash in PHC format (`$argon2id$v=19$m=…`). */
  hash(password: string): Promise<string>
  /**
   * Returns whether a password matches a hash. For `null` (an unknown user) or an invalid hash, does the same work and
   * returns `false`.
   */
  verify(hash: string | null, password: string): Promise<boolean>
  /** Returns whether the hash was created with weaker parameters than the current ones. */
  needsRehash(hash: string): boolean
  /** Words that a new password must not be made of. */
  readonly contextWords?: readonly string[]
  /**
   * Resolves with whether a password is in a list of breached passwords; rejects if the list is not available. Absent
   * without `breachCheck`.
   */
  isBreached?(password: string): Promise<boolean>
}

const KNOWN: KnownOptions<PasswordOptions> = {
  memoryCost: true,
  timeCost: true,
  parallelism: true,
  concurrency: true,
  maxWaiting: true,
  contextWords: true,
  breachCheck: true
}
const LEAST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const ARGON2ID = 2
const VERSION_19 = 1
const MAX_WORDS = 1_000
const MIN_WORD_LENGTH = 4

/** Throws `INVALID_OPTIONS` for parameters below the minimum, and an Error if the package is not installed. */
export async function createPasswords (options: PasswordOptions = {}): Promise<Passwords> {
  refuseUnknownMembers('passwords', '', options, KNOWN)
  for (const [name, least] of Object.entries(LEAST) as Array<[keyof typeof LEAST, number]>) {
    const value = options[name]
    if (value !== undefined) assertWholeNumber('passwords', name, value, { min: least })
  }
  return createPasswordsOfAnyCost(options)
}

/** Like `createPasswords`, without minimum parameters. */
export async function createPasswordsOfAnyCost (options: PasswordOptions): Promise<Passwords> {
  const argon2 = await importOptional('@node-rs/argon2', () => import('@node-rs/argon2'), 'Hashing passwords')
  const { memoryCost = LEAST.memoryCost, timeCost = LEAST.timeCost, parallelism = LEAST.parallelism } = options
  const parameters = { memoryCost, timeCost, parallelism, algorithm: ARGON2ID, version: VERSION_19 }
  const { concurrency = Math.min(3, Math.max(1, availableParallelism() - 1)), maxWaiting = 200 } = options
  for (const [name, value] of Object.entries({ concurrency, maxWaiting })) {
    assertWholeNumber('passwords', name, value)
  }
  const hashing = new Semaphore({
    permits: concurrency,
    maxWaiting,
    onFull: () => new UNAVAILABLE({ reason: 'too many passwords wait to be hashed' })
  })
  const { breachCheck: breaches = false, contextWords = [] } = options
  assertWords(contextWords)
  // Loaded here because most apps do not need the HTTP client.
  const isBreached = breaches === false ? null : (await import('./breach-check.js')).breachCheck(breaches)
  // The hash of no password: to verify one takes as long as with any hash of these parameters.
  const nobody = `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${randomBase64(16)}$${randomBase64(32)}`

  return {
    contextWords,

    ...isBreached === null ? {} : { isBreached },

    hash: (password) => hashing.run(() => argon2.hash(password.normalize('NFKC'), parameters)),

    verify: (hash, password) =>
      hashing.run(async () => {
        const text = password.normalize('NFKC')
        try {
          if (hash !== null) return await argon2.verify(hash, text)
        } catch {
          // The stored value is not an argon2 hash: the user has no password, or the hash comes from another system.
        }
        await argon2.verify(nobody, text)
        return false
      }),

    needsRehash (hash) {
      const parameters = argon2.parseOptions(hash)
      return parameters.algorithm !== ARGON2ID || parameters.version !== VERSION_19 ||
        parameters.memoryCost < memoryCost || parameters.timeCost < timeCost || parameters.parallelism < parallelism
    }
  }
}

/** Returns random bytes in base64 without padding, as the PHC format has them. */
function randomBase64 (bytes: number): string {
  return randomBytes(bytes).toString('base64').replace(/=+$/, '')
}

function assertWords (words: unknown): void {
  if (
    Array.isArray(words) && words.length <= MAX_WORDS &&
    words.every((word) => typeof word === 'string' && word.length >= MIN_WORD_LENGTH)
  ) return
  throw new INVALID_OPTIONS(
    `passwords: "contextWords" must be a list of at most ${MAX_WORDS} strings of ${MIN_WORD_LENGTH} characters or more`
  )
}
