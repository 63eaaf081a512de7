import { isbot } from 'isbot'
import { LRUCache } from 'lru-cache'

import { atMost } from '../../lib/at-most.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'

export interface BotOptions {
  /**
   * User agents of people that isbot detects as bots: a string that the agent contains, in any letter
   * case, or a regular expression without the flags `g` and `y`. They add to the built-in exception, the in-app
   * browsers of Facebook. The agent is cut to 512 characters before it is compared. Default: none.
   */
  except?: ReadonlyArray<string | RegExp>
}

/** Returns whether a user agent is a crawler, a headless browser or another program that visits pages. */
export type BotCheck = (userAgent: string) => boolean

/** Browsers send shorter user agents; the rest of a longer one is ignored. */
const MAX_LENGTH = 512

/** Facebook's in-app browsers include the carrier's name, so their user agents can look like any bot. */
const IN_APP_BROWSER = /\[FB(?:AN|_IAB)\/[^[\]]*\bFBAV\/[^[\]]*\]/

/**
 * Creates the check of one registration. Throws `INVALID_OPTIONS` for an exception that would match every user agent
 * or that keeps state between calls.
 *
 * @example
 * const isBotAgent = botCheck({ except: ['AcmeShopApp/', /\bKioskBrowser\/\d/] })
 * isBotAgent('Googlebot/2.1') // true
 */
export function botCheck (options: BotOptions = {}): BotCheck {
  refuseUnknownMembers('ingestion', 'bots.', options, { except: true })
  const { except = [] } = options
  if (!Array.isArray(except)) throw invalid('must be a list of strings and regular expressions')
  const exceptions = [IN_APP_BROWSER, ...except.map(patternOf)]
  const results = new LRUCache<string, boolean>(atMost(5_000))

  return function isBotAgent (userAgent) {
    const compared = userAgent.length > MAX_LENGTH ? userAgent.slice(0, MAX_LENGTH) : userAgent
    let isBot = results.get(compared)
    if (isBot === undefined) {
      isBot = isbot(compared) && !exceptions.some((pattern) => pattern.test(compared))
      // A copy, because a slice keeps the whole string in memory.
      results.set(compared === userAgent ? compared : Buffer.from(compared).toString(), isBot)
    }
    return isBot
  }
}

function patternOf (exception: unknown): RegExp {
  if (typeof exception === 'string' && exception.trim() !== '') {
    return new RegExp(exception.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'i')
  }
  if (!(exception instanceof RegExp)) throw invalid('must contain non-empty strings and regular expressions only')
  if (exception.global || exception.sticky) {
    throw invalid('must not contain regular expressions with the flag "g" or "y"')
  }
  if (exception.test('')) throw invalid('contains a regular expression that matches every user agent')
  return exception
}

function invalid (problem: string): InstanceType<typeof INVALID_OPTIONS> {
  return new INVALID_OPTIONS(`ingestion: "bots.except" ${problem}`)
}
