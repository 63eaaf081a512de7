import type { FastifyInstance } from 'fastify'

import type { Config } from './config.js'
import { hasGuard } from './index.js'

/**
 * Returns the guard settings of a route whose `authorize` may read the end user: the guards of the scope that identify
 * one are optional, because the function may identify the user in another way.
 */
export function optionalUserGuards (scope: FastifyInstance): Config {
  return {
    ...hasGuard(scope, 'userReference') ? { userReference: 'optional' } : {},
    ...hasGuard(scope, 'identityToken') ? { identityToken: 'optional' } : {}
  }
}
