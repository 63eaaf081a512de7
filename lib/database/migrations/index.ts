import type { Migration } from '../migrator.js'

import { initial } from './001-initial.js'
import { sourceBots } from './002-source-bots.js'
import { webhooks } from './003-webhooks.js'
import { leanEvents } from './004-lean-events.js'
import { eventsByDay } from './005-events-by-day.js'
import { revocations } from './006-revocations.js'
import { signedRepeats } from './007-signed-repeats.js'
import { nullOrigin } from './008-null-origin.js'
import { eventsByTime } from './009-events-by-time.js'
import { organisations } from './010-organisations.js'
import { invitations } from './011-invitations.js'
import { secondFactors } from './012-second-factors.js'
import { apiKeys } from './013-api-keys.js'
import { singleSignOn } from './014-single-sign-on.js'
import { findEvents } from './015-find-events.js'
import { scim } from './016-scim.js'
import { counts } from './017-counts.js'
import { refusedEvents } from './018-refused-events.js'
import { sourceKeys } from './019-source-keys.js'
import { refusedReplays } from './020-refused-replays.js'
import { auditByOrganisation } from './021-audit-by-organisation.js'
import { countsByHour } from './022-counts-by-hour.js'
import { countSums } from './023-count-sums.js'
import { sessionCounts } from './024-session-counts.js'

/** All migrations by name; they run in the order of their names. Never edit a released migration. */
export const migrations: Record<string, Migration> = {
  '001-initial': initial,
  '002-source-bots': sourceBots,
  '003-webhooks': webhooks,
  '004-lean-events': leanEvents,
  '005-events-by-day': eventsByDay,
  '006-revocations': revocations,
  '007-signed-repeats': signedRepeats,
  '008-null-origin': nullOrigin,
  '009-events-by-time': eventsByTime,
  '010-organisations': organisations,
  '011-invitations': invitations,
  '012-second-factors': secondFactors,
  '013-api-keys': apiKeys,
  '014-single-sign-on': singleSignOn,
  '015-find-events': findEvents,
  '016-scim': scim,
  '017-counts': counts,
  '018-refused-events': refusedEvents,
  '019-source-keys': sourceKeys,
  '020-refused-replays': refusedReplays,
  '021-audit-by-organisation': auditByOrganisation,
  '022-counts-by-hour': countsByHour,
  '023-count-sums': countSums,
  '024-session-counts': sessionCounts
}
