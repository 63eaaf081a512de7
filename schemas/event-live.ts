import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { EventListQuerySchema } from './event-list.js'

const OUTCOMES = ['accepted', 'refused', 'all'] as const
const { source_id, type } = EventListQuerySchema.properties

export const EventLiveQuerySchema = Type.Object({
  source_id,
  type,
  outcome: Type.Unsafe<typeof OUTCOMES[number]>({
    type: 'string',
    enum: [...OUTCOMES],
    default: 'all',
    description: 'Which events to receive'
  })
}, { additionalProperties: false })
export type EventLiveQuery = Static<typeof EventLiveQuerySchema>

export const EventLiveHeadersSchema = Type.Object({
  'last-event-id': Type.Optional(Type.String({
    maxLength: 256,
    description: 'The id of the last received event; the stream resumes after it'
  }))
})

const STREAM = `Server-Sent Events of this instance, as they happen:
\`accepted\` (an event in the form of the event list, sent after it is stored),
\`refused\` (\`status\`, \`code\`, \`message\`, \`sourceId\`, \`environment\`, \`type\`, \`messageId\`, \`index\`, the refused \`origin\`,
\`receivedAt\`, \`ip\`; never the body),
\`stats\` (\`since\`, and for each source \`sourceId\`, \`accepted\`, \`refused\` by code, and \`bots\` after the first bot) and
\`dropped\` (\`count\`, \`reason\`: \`rate\`, \`slow\`, or \`gap\` with a count of null).`

export const liveEventsSchema = {
  operationId: 'liveEvents',
  summary: 'Stream the accepted and refused events of the organisation',
  description: 'The stream ends when the access token expires or is revoked.',
  tags: ['admin events'],
  querystring: EventLiveQuerySchema,
  headers: EventLiveHeadersSchema,
  response: {
    200: { description: STREAM, content: { 'text/event-stream': { schema: Type.String() } } },
    ...errorReplies(400, 401, 403, 404, 429, 500, 503)
  }
}
