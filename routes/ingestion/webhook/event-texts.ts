import { INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import { MAX_BATCH_EVENTS } from '../../../schemas/ingestion.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { Subject } from './expression.js'
import type { CompiledMapping } from './mapping.js'

const MAX_MESSAGE_ID = 100

/**
 * The JSON text of each event in a body. Who is named by neither id gets `anonymousId`, so that the event belongs to somebody. Throws
 * `INVALID_REQUEST` for more than 500 events and `PAYLOAD_TOO_LARGE` where they are longer than `room` characters together, as a mapping
 * may put one part of a body into many places.
 */
export function eventTexts ({ type, members, messageId, split }: CompiledMapping, body: Subject, anonymousId: string, room: number): string[] {
  const subjects: Subject[] = []
  for (const subject of split(body)) {
    if (subjects.push(subject) > MAX_BATCH_EVENTS) throw new INVALID_REQUEST({ message: `There are more than ${MAX_BATCH_EVENTS} events` })
  }
  const taken = new Set<string>()
  let left = room
  return subjects.map((subject, index) => {
    const read = members.flatMap(([name, value]) => {
      const text = value(subject)
      if ((left -= text?.length ?? 0) < 0) throw new PAYLOAD_TOO_LARGE({ message: 'The events are too large' })
      return text === null ? [] : [[name, text] as const]
    })
    const id = messageId(subject)
    const parts = [`"type":"${type}"`, ...read.map(([name, text]) => `"${name}":${text}`)]
    if (id !== null) parts.push(`"messageId":${JSON.stringify(ownId(id, index, taken))}`)
    if (!read.some(([name]) => name === 'userId' || name === 'anonymousId')) parts.push(`"anonymousId":${JSON.stringify(anonymousId)}`)
    return `{${parts.join(',')}}`
  })
}

/** The provider's id, or what it comes to: of the events of one delivery none takes the id of another, and a long one becomes its digest. */
function ownId (id: string, index: number, taken: Set<string>): string {
  let unique = id
  while (taken.has(unique)) unique += `-${index}`
  taken.add(unique)
  return unique.length <= MAX_MESSAGE_ID ? unique : `sha256-${sha256Hex(unique)}`
}
