import { hash } from 'node:crypto'

import { hexOfId } from '../event-id.js'
import { encodeEvent } from './message.js'
import type { OutgoingMessage } from './publish.js'
import { packedSubject, subjectOf } from './subject.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

/** Events by their ids. */
type Events = ReadonlyMap<string, AcceptedEvent>

/** An event that no broker with these settings will ever take: its own fault, not the broker's. */
export class UnpublishableEvent extends Error {}

/** Of `max_payload` left for the headers, which count as well. */
const HEADERS_SIZE = 256
const LONGEST_SUBJECT = 1_000

/** A message for each event. */
export function messagesOf (events: Events, prefix: string, maxPayload: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = []
  for (const [id, event] of events) {
    const body = Buffer.from(encodeEvent(event))
    const subject = subjectOf(prefix, event)
    if (body.length > maxPayload - HEADERS_SIZE) throw tooLarge()
    // The broker ends a connection whose commands are too long, for all that use it.
    if (subject.length > LONGEST_SUBJECT) throw new UnpublishableEvent('The names of the organisation and the source are too long for a subject')
    messages.push({ subject, id: hexOfId(id), body, onDuplicate: event.repeat === false ? () => { event.repeat = true } : undefined })
  }
  return messages
}

/** As few messages as hold the events, a line each. */
export function packedMessagesOf (events: Events, prefix: string, maxPayload: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = []
  const most = maxPayload - HEADERS_SIZE
  let lines: string[] = []
  let ids = ''
  let size = 0

  function close () {
    messages.push({ subject: packedSubject(prefix), id: hash('sha256', ids).slice(0, 32), body: Buffer.from(lines.join('\n')) })
    lines = []
    ids = ''
    size = 0
  }

  for (const [id, event] of events) {
    const line = encodeEvent(event)
    const bytes = Buffer.byteLength(line) + 1
    if (bytes > most) throw tooLarge()
    if (size + bytes > most) close()
    lines.push(line)
    ids += id
    size += bytes
  }
  close()
  return messages
}

function tooLarge (): UnpublishableEvent {
  return new UnpublishableEvent('The event is larger than the broker takes')
}
