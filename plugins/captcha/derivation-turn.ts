import { UNAVAILABLE } from '../../lib/errors.js'

/** Of the four threads that Node has for such work, and for files and names, too. */
const AT_ONCE = 2
/** Rounds that may wait: a few seconds of work for two threads. */
const MOST_WAITING = 10_000_000
/** What a derivation costs at least, so that cheap ones do not wait without number. */
const LEAST = 1_000

// The threads are the process's, however many apps it has.
const waiting: Array<() => void> = []
let roundsWaiting = 0
let underWay = 0

/** Derives a key when it is its turn, so that files and names are not kept waiting; 503 `UNAVAILABLE` where too many are before it. */
export async function derivationTurn<Key> (rounds: number, derive: () => Promise<Key>): Promise<Key> {
  if (underWay < AT_ONCE) underWay++
  else await turn(Math.max(rounds, LEAST))
  try {
    return await derive()
  } finally {
    const next = waiting.shift()
    if (next === undefined) underWay--
    else next()
  }
}

/** Resolves when one that is under way has given its place to this one. */
async function turn (rounds: number): Promise<void> {
  if (roundsWaiting >= MOST_WAITING) throw new UNAVAILABLE({ reason: 'captcha: too many derivations are waiting' })
  roundsWaiting += rounds
  await new Promise<void>((resolve) => { waiting.push(resolve) })
  roundsWaiting -= rounds
}
