import type { MemberNames } from '../api/use-member-names.ts'
import { at } from '../shell/paths.ts'

/** A member by the email, as a link; an id that belongs to no member as it is. */
export function MemberName ({ id, names }: { id: string, names: MemberNames }) {
  const email = names.get(id)
  if (email === undefined) return <span class='soft'>…</span>
  if (email === null) return <span class='soft' title={id}>Former member</span>
  return <a class='quiet-link' href={at('users/:id', { id })}>{email}</a>
}
