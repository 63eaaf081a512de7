import { fromColumnText, toColumnText } from '../column-text.js'
import type { CountKind } from '../../../contracts/counts.js'

/** Returns the value of the column `subject`, such as `stored:src_…`, `embed:databrain` or `admin:`. */
export function subjectOf (kind: CountKind, id: string): string {
  return `${kind}:${toColumnText(id)}`
}

/** Returns the id in a subject. */
export function idOf (subject: string): string {
  return fromColumnText(subject.slice(subject.indexOf(':') + 1))
}

/** Returns the bounds of all subjects of a kind, the second one exclusive. */
export function subjectsOf (kind: CountKind): [from: string, to: string] {
  // A semicolon follows the colon.
  return [`${kind}:`, `${kind};`]
}
