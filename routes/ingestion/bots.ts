import { isbot } from 'isbot'
import { LRUCache } from 'lru-cache'

/** Longer than browsers' are; what comes behind it is not looked at. */
const MAX_LENGTH = 512

const verdicts = new LRUCache<string, boolean>({ max: 5_000 })

/** Whether a user agent is that of a crawler, a headless browser or another program that visits pages. */
export function isBotAgent (userAgent: string): boolean {
  const judged = userAgent.length > MAX_LENGTH ? userAgent.slice(0, MAX_LENGTH) : userAgent
  let verdict = verdicts.get(judged)
  if (verdict === undefined) {
    verdict = isbot(judged)
    // A copy: a slice would keep the whole of what it was cut from.
    verdicts.set(judged === userAgent ? judged : Buffer.from(judged).toString(), verdict)
  }
  return verdict
}
