import { UNAVAILABLE } from '../../lib/errors.js'
import { Semaphore } from '../../lib/semaphore.js'

/** Minimum weight of a derivation, which bounds the number of waiting derivations. */
const MIN_WEIGHT = 1_000

// Shared by all apps of the process, like the thread pool.
const derivations = new Semaphore({
  // Node.js has four threads by default; two stay free for files and DNS.
  permits: 2,
  // Maximum waiting rounds: a few seconds of work for two threads.
  maxWaiting: 10_000_000,
  onFull: () => new UNAVAILABLE({ reason: 'captcha: too many derivations are waiting' })
})

/** Derives a key, at most two at a time. Rejects with 503 `UNAVAILABLE` if too many derivations are waiting. */
export function deriveInTurn<Key> (rounds: number, derive: () => Promise<Key>): Promise<Key> {
  return derivations.run(derive, { weight: Math.max(rounds, MIN_WEIGHT) })
}
