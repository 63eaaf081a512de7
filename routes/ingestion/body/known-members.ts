import { knownMembersOf } from '../../../lib/json/known-members.js'
import type { KnownMembers } from '../../../lib/json/known-members.js'
import { EventSchema } from '../../../schemas/event.js'
import { batchBodySchema } from '../../../schemas/ingestion.js'

/** The members of a context that the server reads; its schema names none. */
const CONTEXT: KnownMembers = {
  names: new Set(['ip', 'userAgent', 'bot', 'page', 'campaign', 'clickIds']),
  nested: new Map([['page', { names: new Set(['url']), nested: new Map() }]])
}

/** The members of an event that may not occur twice. */
export const EVENT_MEMBERS = withContext(knownMembersOf(EventSchema))
/** The members of a batch that may not occur twice; its events are checked one by one. */
export const BATCH_MEMBERS = withContext(knownMembersOf(batchBodySchema(1)))

function withContext ({ names }: KnownMembers): KnownMembers {
  return { names: new Set([...names, 'writeKey']), nested: new Map([['context', CONTEXT]]) }
}
