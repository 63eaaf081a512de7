import { INVALID_REQUEST } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'

/** Maximum characters of dashboard names in an audit entry. */
const MAX_AUDITED = 256
/** Excludes other spellings of a GUID, such as {0xc5bab292,0x0ee6,…}, which would bypass a revocation. */
const ID = /^(?:[\w-]+|\{[\w-]+\}|\([\w-]+\))$/
/** Invisible characters, which some databases ignore when they compare names. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u

/**
 * Returns the distinct ids and paths, ids first. Throws `INVALID_REQUEST` for more than `most` names, an invalid id, or
 * a path with an invisible character.
 */
export function namedDashboards (ids: readonly string[], paths: readonly string[], max: number): string[] {
  const names = new Set([...ids, ...paths])
  if (names.size > max) throw tooMany(max, 'dashboards')
  if (!ids.every((id) => ID.test(id))) {
    throw new INVALID_REQUEST({
      message: 'A dashboard id must consist of letters, digits, "-" and "_", optionally in braces or parentheses'
    })
  }
  if (paths.some((path) => INVISIBLE.test(path))) {
    throw new INVALID_REQUEST({ message: 'A dashboard path must not contain invisible characters' })
  }
  return [...names]
}

/**
 * Returns the distinct non-empty names of a comma-separated list. Throws `INVALID_REQUEST` for more than `most` names.
 */
export function namesIn (list: string, max: number, kind: 'dashboards' | 'widgets'): string[] {
  const names = new Set<string>()
  for (let start = 0, end = 0; start < list.length; start = end + 1) {
    end = list.indexOf(',', start)
    if (end === -1) end = list.length
    if (end > start) names.add(list.slice(start, end))
    if (names.size > max) throw tooMany(max, kind)
  }
  return [...names]
}

/** Returns the names for an audit entry: all whole names that fit into 256 characters. */
export function auditedNames (names: readonly string[]): string {
  let text = ''
  for (const name of names) {
    if (text.length + name.length < MAX_AUDITED) text += text === '' ? name : `,${name}`
  }
  return text
}

function tooMany (max: number, kind: string): GatehouseError {
  return new INVALID_REQUEST({ message: `The embed query contains more than ${max} ${kind}` })
}
