import { INVALID_REQUEST } from '../../plugins/errors.js'

/** Dashboards that one query may name. Each is looked up among those that were revoked, and the SDK shows them all on one page. */
const MAX_DASHBOARDS = 500
/** A GUID has further spellings, such as {0xc5bab292,0x0ee6,…}, by which a cut-off could be walked around. */
const ID = /^(?:[\w-]+|\{[\w-]+\}|\([\w-]+\))$/
/** What is not to be seen in a name, and passed over by databases that compare names. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u

/** All of them, each once, the ids first. Throws `INVALID_REQUEST` for too many, an id that is none, or a path with a character that can't be seen. */
export function namedDashboards (ids: readonly string[], paths: readonly string[]): string[] {
  const names = new Set([...ids, ...paths])
  if (names.size > MAX_DASHBOARDS) throw new INVALID_REQUEST({ message: `The embed query names more than ${MAX_DASHBOARDS} dashboards` })
  if (!ids.every((id) => ID.test(id))) {
    throw new INVALID_REQUEST({ message: 'An id of a dashboard has letters, digits, "-" and "_" alone, or these in braces or parentheses' })
  }
  if (paths.some((path) => UNSEEN.test(path))) throw new INVALID_REQUEST({ message: 'A path of a dashboard contains a character that can not be seen' })
  return [...names]
}
