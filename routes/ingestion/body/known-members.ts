import { knownMembersOf } from '../../../lib/json/known-members.js'
import type { KnownMembers } from '../../../lib/json/known-members.js'
import { EventSchema } from '../../../schemas/event.js'
import { batchBodySchema } from '../../../schemas/ingestion.js'

/** The properties of a context that the server reads; the schema of a context names no properties. */
const CONTEXT: KnownMembers = {
  names: new Set(['ip', 'userAgent', 'bot', 'page', 'campaign', 'clickIds']),
  nested: new Map([['page', { names: new Set(['url']), nested: new Map() }]])
}

/** The properties of an event that must not occur twice. */
export const EVENT_MEMBERS = withContext(knownMembersOf(EventSchema))
/** The properties of a batch that must not occur twice. The events are checked separately. */
export const BATCH_MEMBERS = withContext(knownMembersOf(batchBodySchema(1)))

function withContext ({ names }: KnownMembers): KnownMembers {
  return { names: new Set([...names, 'writeKey']), nested: new Map([['context', CONTEXT]]) }
}
