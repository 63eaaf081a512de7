import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'

import { UNAVAILABLE } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { Semaphore } from '../semaphore.js'

export interface PasswordOptions {
  /** Memory a hash takes, KiB. Default, and least: 19 456 (19 MiB). */
  memoryCost?: number
  /** Passes over it. Default, and least: 2. */
  timeCost?: number
  /** Lanes. Default: 1. */
  parallelism?: number
  /** Hashes made at one time. Default: one less than the processors, 1 to 3: hashing shares a pool of four threads with files and DNS. */
  concurrency?: number
  /** Hashes that may wait for their turn; beyond them 503 `UNAVAILABLE`. Default: 200. */
  maxWaiting?: number
}

/** Hashes and checks passwords with argon2id, a few at a time. */
export interface Passwords {
  /** The hash in PHC form (`$argon2id$v=19$m=…`). */
  hash (password: string): Promise<string>
  /** Whether the password is that of the hash. With `null`, for an unknown user, or a text that is no hash, the same work is done and the answer is `false`. */
  verify (hash: string | null, password: string): Promise<boolean>
  /** Whether the hash was made with less than today's parameters. */
  needsRehash (hash: string): boolean
}

const KNOWN: KnownOptions<PasswordOptions> = { memoryCost: true, timeCost: true, parallelism: true, concurrency: true, maxWaiting: true }
const LEAST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const ARGON2ID = 2
const VERSION_19 = 1

/** Throws `INVALID_OPTIONS` for parameters below 19 MiB and 2 passes, and an Error that names the package if it is not installed. */
export async function createPasswords (options: PasswordOptions = {}): Promise<Passwords> {
  refuseUnknownMembers('passwords', '', options, KNOWN)
  for (const [name, least] of Object.entries(LEAST) as Array<[keyof typeof LEAST, number]>) {
    const value = options[name]
    if (value !== undefined) assertWholeNumber('passwords', name, value, { min: least })
  }
  return createPasswordsOfAnyCost(options)
}

/** As `createPasswords`, without the floor under the parameters. */
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
  const nobody = await argon2.hash(randomBytes(32), parameters)

  return {
    hash: (password) => hashing.run(() => argon2.hash(password.normalize('NFKC'), parameters)),

    verify: (hash, password) => hashing.run(async () => {
      const text = password.normalize('NFKC')
      try {
        if (hash !== null) return await argon2.verify(hash, text)
      } catch {
        // No hash, or none of argon2: that of a user without a password, or from elsewhere.
      }
      await argon2.verify(nobody, text)
      return false
    }),

    needsRehash (hash) {
      const made = argon2.parseOptions(hash)
      return made.algorithm !== ARGON2ID || made.version !== VERSION_19 ||
        made.memoryCost < memoryCost || made.timeCost < timeCost || made.parallelism < parallelism
    }
  }
}
