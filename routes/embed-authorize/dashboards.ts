import { INVALID_REQUEST } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'

/** Characters that the audit trail keeps of the dashboards. */
const MAX_AUDITED = 256
/** A GUID has further spellings, such as {0xc5bab292,0x0ee6,…}, by which a cut-off could be walked around. */
const ID = /^(?:[\w-]+|\{[\w-]+\}|\([\w-]+\))$/
/** What is not to be seen in a name, and passed over by databases that compare names. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u

/** All of them, each once, the ids first. Throws `INVALID_REQUEST` for more than `most`, an id that is none, or a path with a character that can't be seen. */
export function namedDashboards (ids: readonly string[], paths: readonly string[], most: number): string[] {
  const names = new Set([...ids, ...paths])
  if (names.size > most) throw tooMany(most, 'dashboards')
  if (!ids.every((id) => ID.test(id))) {
    throw new INVALID_REQUEST({ message: 'An id of a dashboard has letters, digits, "-" and "_" alone, or these in braces or parentheses' })
  }
  if (paths.some((path) => UNSEEN.test(path))) throw new INVALID_REQUEST({ message: 'A path of a dashboard contains a character that can not be seen' })
  return [...names]
}

/** The names in a list with commas, each once and none of them empty. Throws `INVALID_REQUEST` for more than `most`, at the first one too many. */
export function namesIn (list: string, most: number, what: 'dashboards' | 'widgets'): string[] {
  const names = new Set<string>()
  for (let start = 0, end = 0; start < list.length; start = end + 1) {
    end = list.indexOf(',', start)
    if (end === -1) end = list.length
    if (end > start) names.add(list.slice(start, end))
    if (names.size > most) throw tooMany(most, what)
  }
  return [...names]
}

/** The names as an audit entry keeps them: those that fit into 256 characters, whole. */
export function auditedNames (names: readonly string[]): string {
  let text = ''
  for (const name of names) {
    if (text.length + name.length < MAX_AUDITED) text += text === '' ? name : `,${name}`
  }
  return text
}

function tooMany (most: number, what: string): GatehouseError {
  return new INVALID_REQUEST({ message: `The embed query names more than ${most} ${what}` })
}
