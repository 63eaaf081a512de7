import { INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import { MAX_BATCH_EVENTS } from '../../../schemas/ingestion.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { Subject } from './expression.js'
import type { CompiledMapping } from './mapping.js'

const MAX_MESSAGE_ID = 100

/**
 * Returns the JSON text of each event in a body. An event without a user id and without an anonymous id gets
 * `anonymousId`. Throws `INVALID_REQUEST` for more than 500 events, and `PAYLOAD_TOO_LARGE` if the events exceed `room`
 * characters in total, because a mapping may copy one part of a body many times.
 */
export function mapEvents (
  { type, members, messageId, split }: CompiledMapping,
  body: Subject,
  anonymousId: string,
  maxCharacters: number
): string[] {
  const subjects: Subject[] = []
  for (const subject of split(body)) {
    if (subjects.push(subject) > MAX_BATCH_EVENTS) {
      throw new INVALID_REQUEST({ message: `The delivery has more than ${MAX_BATCH_EVENTS} events` })
    }
  }
  const taken = new Set<string>()
  let left = maxCharacters
  return subjects.map((subject, index) => {
    const read = members.flatMap(([name, value]) => {
      const text = value(subject)
      if ((left -= text?.length ?? 0) < 0) throw new PAYLOAD_TOO_LARGE({ message: 'The events are too large' })
      return text === null ? [] : [[name, text] as const]
    })
    const id = messageId(subject)
    const parts = [`"type":"${type}"`, ...read.map(([name, text]) => `"${name}":${text}`)]
    if (id !== null) parts.push(`"messageId":${JSON.stringify(uniqueId(id, index, taken))}`)
    if (!read.some(([name]) => name === 'userId' || name === 'anonymousId')) {
      parts.push(`"anonymousId":${JSON.stringify(anonymousId)}`)
    }
    return `{${parts.join(',')}}`
  })
}

/**
 * Returns the provider's id, with a suffix if another event of the delivery has the same id, or the digest of a long
 * id.
 */
function uniqueId (id: string, index: number, taken: Set<string>): string {
  let unique = id
  while (taken.has(unique)) unique += `-${index}`
  taken.add(unique)
  return unique.length <= MAX_MESSAGE_ID ? unique : `sha256-${sha256Hex(unique)}`
}
