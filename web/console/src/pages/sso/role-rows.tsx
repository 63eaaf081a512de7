import { useRef, useState } from 'preact/hooks'

import type { Role } from '../../api/session.ts'
import type { Form, Values } from '../../api/use-form.ts'
import { Button, IconButton } from '../../ui/button.tsx'

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  viewer: 'Viewer', editor: 'Editor', admin: 'Admin', owner: 'Owner'
}
export const ROLE_CHOICES = Object.entries(ROLE_NAMES)

export interface RoleRow {
  value: string
  role: Role
}

interface RoleRowsProps {
  form: Form
  /** The path of the list in the request body, such as `roles/mapping`. */
  path: string
  /** The name of the member of a row that has the value. */
  member: string
  legend: string
  /** What the value of a row is: "Value of the claim". */
  what: string
  rows: readonly RoleRow[]
}

/** Rows of a value and the role that it gives. */
export function RoleRows ({ form, path, member, legend, what, rows: given }: RoleRowsProps) {
  const next = useRef(given.length)
  const [rows, setRows] = useState(given.map((row, id) => ({ id, ...row })))
  const add = () => setRows([...rows, { id: next.current++, value: '', role: 'viewer' }])
  return (
    <fieldset class='rows'>
      <legend>{legend}</legend>
      {rows.map(({ id, value, role }, at) => {
        const mistake = form.mistakeOf(`${path}/${at}/${member}`)
        return (
          <div key={id} class='row'>
            <input
              type='text' name={`${path}/${at}/${member}`} aria-label={`${what} ${at + 1}`} defaultValue={value} required
              maxLength={256} aria-invalid={mistake === undefined ? undefined : true}
            />
            <select name={`${path}/${at}/role`} aria-label={`Role ${at + 1}`}>
              {ROLE_CHOICES.map(([choice, text]) =>
                <option key={choice} value={choice} selected={choice === role}>{text}</option>)}
            </select>
            <IconButton
              icon='close' label={`Remove row ${at + 1}`} onClick={() => setRows(rows.filter((row) => row.id !== id))}
            />
            {mistake === undefined ? null : <p class='mistake'>{mistake}</p>}
          </div>
        )
      })}
      <div><Button icon='plus' onClick={add}>Add a row</Button></div>
    </fieldset>
  )
}

/** Returns the rows that a form has. */
export function rowsFrom (values: Values, path: string, member: string): RoleRow[] {
  const rows: RoleRow[] = []
  for (let at = 0; values[`${path}/${at}/${member}`] !== undefined; at++) {
    rows.push({ value: values[`${path}/${at}/${member}`] ?? '', role: values[`${path}/${at}/role`] as Role })
  }
  return rows
}
