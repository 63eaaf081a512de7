import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../lib/errors.js'
import { assertWholeNumber, optionAssertion, refuseUnknownMembers, refuseUnknownOptions } from '../lib/options.js'
import type { AssertOption, KnownOptions } from '../lib/options.js'
import { configureRefusals } from '../lib/refusal-log/index.js'
import type { RefusalLevel } from '../lib/refusal-log/index.js'

export type { RefusalLevel }

export interface RefusalLevelOptions {
  /** Errors that the client must correct. Default: `'info'`. */
  client?: RefusalLevel
  /**
   * Errors that a setting of the server or of a source may correct: `ORIGIN_NOT_ALLOWED`, `HTTPS_REQUIRED`, and
   * refusals of upstreams. Default: `'warn'`.
   */
  operator?: RefusalLevel
  /** Failures of the server, of a backend or of a function of the host. Default: `'error'`. */
  server?: RefusalLevel
}

export interface RefusalLogOptions {
  /** The levels of the lines; `'silent'` writes none. */
  levels?: RefusalLevelOptions
  /**
   * Maximum lines per minute of each code, guard, route and source; repeats of one reason are at most half of them.
   * The others are counted in one line. Default: 10.
   */
  perMinute?: number
}

const KNOWN: KnownOptions<RefusalLogOptions> = { levels: true, perMinute: true }
const KNOWN_LEVELS: KnownOptions<RefusalLevelOptions> = { client: true, operator: true, server: true }
const LEVELS: readonly unknown[] = [
  'fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'
] satisfies RefusalLevel[]
const assertOption: AssertOption = optionAssertion('refusal-log')

/**
 * Sets at which levels and how often the app logs why it refuses requests and events. Without this plugin it logs them
 * with the defaults. Throws `INVALID_OPTIONS`, also if it is registered twice in an app.
 *
 * @example
 * await app.register(refusalLog, { levels: { client: 'debug' }, perMinute: 100 })
 */
const refusalLog: FastifyPluginAsync<RefusalLogOptions> = async (app, options) => {
  refuseUnknownOptions('refusalLog', options, KNOWN)
  const { levels = {}, perMinute = 10 } = options
  assertOption(typeof levels === 'object' && levels !== null, 'levels', 'an object such as { client: "debug" }', levels)
  refuseUnknownMembers('refusalLog', 'levels.', levels, KNOWN_LEVELS)
  const { client = 'info', operator = 'warn', server = 'error' } = levels
  for (const [name, level] of Object.entries({ client, operator, server })) {
    assertOption(LEVELS.includes(level), `levels.${name}`, `one of ${LEVELS.join(', ')}`, level)
  }
  assertWholeNumber('refusal-log', 'perMinute', perMinute, { max: 100_000, unit: 'lines' })
  if (configureRefusals(app, { levels: { client, operator, server }, perMinute })) return
  throw new INVALID_OPTIONS('refusal-log: already registered in this app; register it once')
}

export default fp(refusalLog, { name: 'gatehouse-refusal-log', fastify: '5.x' })
