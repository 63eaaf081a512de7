import { CONFLICT } from '../../lib/errors.js'

/** The refusal of one more than an organisation may have. */
export function overQuota (things: 'sources' | 'webhooks', quota: number): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: `The organisation may have no more ${things} (at most ${quota})` })
}
