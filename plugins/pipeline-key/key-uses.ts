import type { FastifyBaseLogger } from 'fastify'

import { lastUsesOf, warnOf } from '../../lib/last-uses.js'
import type { LastUses } from '../../lib/last-uses.js'
import type { SourceKeys } from '../../contracts/token-store/index.js'

/** Minimum time between two stored uses of one key, milliseconds. */
const PRECISION = 600_000
/** Time after a failed write until the next, milliseconds. */
const RETRY_DELAY = 60_000

/** Returns the recorder of the last uses of pipeline keys, which all guards of the process on one store share. */
export function keyUsesOf (sourceKeys: SourceKeys, log: FastifyBaseLogger): LastUses {
  return lastUsesOf(sourceKeys, {
    store: (uses) => sourceKeys.touch(uses.map(({ key, at }) => ({ pipelineKey: key, at }))),
    precision: PRECISION,
    retryDelay: RETRY_DELAY,
    onError: warnOf(log, 'pipeline-key: the last use of pipeline keys could not be stored')
  })
}
