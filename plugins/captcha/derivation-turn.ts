import { UNAVAILABLE } from '../../lib/errors.js'
import { Semaphore } from '../../lib/semaphore.js'

/** What a derivation counts for at least, so that cheap ones do not wait without limit. */
const LEAST = 1_000

// The threads belong to the process, however many apps it has.
const derivations = new Semaphore({
  // Node.js has four threads for such work; the other two stay free for files and DNS.
  permits: 2,
  // Rounds that may wait: a few seconds of work for two threads.
  maxWaiting: 10_000_000,
  onFull: () => new UNAVAILABLE({ reason: 'captcha: too many derivations are waiting' })
})

/** Derives a key when it is its turn, so that files and names are not kept waiting; 503 `UNAVAILABLE` where too many are before it. */
export function derivationTurn<Key> (rounds: number, derive: () => Promise<Key>): Promise<Key> {
  return derivations.run(derive, { weight: Math.max(rounds, LEAST) })
}
