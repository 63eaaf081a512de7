import type { AcceptedEvent } from './sink.js'

/** The canonical event, camelCase: what the client sent, then what the server filled in, then what only the server may say. */
export function viewEvent (event: AcceptedEvent): Record<string, unknown> {
  const { payload, additions, type, messageId, receivedAt, sourceId, authMethod, ip, userAgent } = event
  return {
    ...JSON.parse(payload),
    ...JSON.parse(additions),
    type,
    messageId,
    receivedAt: new Date(receivedAt).toISOString(),
    sourceId,
    authMethod,
    ip,
    userAgent
  }
}
