import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { EventListQuerySchema } from './event-list.js'

const OUTCOMES = ['accepted', 'refused', 'all'] as const
const { source_id, type } = EventListQuerySchema.properties

export const EventLiveQuerySchema = Type.Object({
  source_id,
  type,
  outcome: Type.Unsafe<typeof OUTCOMES[number]>({ type: 'string', enum: [...OUTCOMES], default: 'all', description: 'What became of an event' })
}, { additionalProperties: false })
export type EventLiveQuery = Static<typeof EventLiveQuerySchema>

export const EventLiveHeadersSchema = Type.Object({
  'last-event-id': Type.Optional(Type.String({ maxLength: 256, description: 'The id of the last event that was seen, to read on behind it' }))
})

const STREAM = `Server-Sent Events of this instance, as they happen:
\`accepted\` (an event as the list of events shows it, once it is stored),
\`refused\` (\`status\`, \`code\`, \`message\`, \`sourceId\`, \`environment\`, \`type\`, \`messageId\`, \`index\`, \`origin\` of a page that was refused for it, \`receivedAt\`, \`ip\`; never the body),
\`stats\` (\`since\`, and of each source \`sourceId\`, \`accepted\`, \`refused\` by code, \`bots\` once there was one) and
\`dropped\` (\`count\`, \`reason\`: \`rate\`, \`slow\`, or \`gap\` with a count of null).`

export const liveEventsSchema = {
  summary: 'Watch the events of the organisation as they are accepted and refused',
  description: 'The stream ends when the access token expires or is revoked.',
  tags: ['admin events'],
  querystring: EventLiveQuerySchema,
  headers: EventLiveHeadersSchema,
  response: {
    200: { description: STREAM, content: { 'text/event-stream': { schema: Type.String() } } },
    ...errorReplies(400, 401, 403, 404, 429, 500, 503)
  }
}
