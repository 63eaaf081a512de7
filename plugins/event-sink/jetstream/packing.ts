import { hash } from 'node:crypto'

import { hexOfId } from '../event-id.js'
import { encodeEvent } from './message.js'
import type { OutgoingMessage } from './publish.js'
import { packedSubject, subjectOf } from './subject.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

/** Events by id. */
type Events = ReadonlyMap<string, AcceptedEvent>

/** An event that a broker with these settings never accepts: an error in the data, not in the broker. */
export class UnpublishableEvent extends Error {}

/** Bytes of `max_payload` that are reserved for headers, which count as well. */
const HEADERS_SIZE = 256
const MAX_SUBJECT_LENGTH = 1_000

/** Creates one message per event. */
export function messagesOf (events: Events, prefix: string, maxPayload: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = []
  for (const [id, event] of events) {
    const body = Buffer.from(encodeEvent(event))
    const subject = subjectOf(prefix, event)
    if (body.length > maxPayload - HEADERS_SIZE) throw tooLarge()
    // The broker closes a connection that sends a too long command, for all its users.
    if (subject.length > MAX_SUBJECT_LENGTH) {
      throw new UnpublishableEvent('The names of the organisation and the source are too long for a subject')
    }
    messages.push({
      subject,
      id: hexOfId(id),
      body,
      onDuplicate: event.repeat === false
        ? () => {
            event.repeat = true
          }
        : undefined
    })
  }
  return messages
}

/** Creates as few messages as possible; each event is one line. */
export function packedMessagesOf (events: Events, prefix: string, maxPayload: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = []
  const maxSize = maxPayload - HEADERS_SIZE
  let lines: string[] = []
  let ids = ''
  let size = 0

  function close () {
    messages.push({
      subject: packedSubject(prefix),
      id: hash('sha256', ids).slice(0, 32),
      body: Buffer.from(lines.join('\n'))
    })
    lines = []
    ids = ''
    size = 0
  }

  for (const [id, event] of events) {
    const line = encodeEvent(event)
    const bytes = Buffer.byteLength(line) + 1
    if (bytes > maxSize) throw tooLarge()
    if (size + bytes > maxSize) close()
    lines.push(line)
    ids += id
    size += bytes
  }
  close()
  return messages
}

function tooLarge (): UnpublishableEvent {
  return new UnpublishableEvent('The event is larger than "max_payload" of the broker')
}
