import type { ComponentChildren, InputHTMLAttributes, SelectHTMLAttributes, TextareaHTMLAttributes } from 'preact'
import { useId, useState } from 'preact/hooks'

import type { Form } from '../api/use-form.ts'
import { IconButton } from './button.tsx'

interface Common {
  /** The member of the request body. */
  name: string
  label: ComponentChildren
  /** What helps to fill it in; shown below the label. */
  hint?: ComponentChildren
  /** Shows the mistakes that the form has found. */
  form: Pick<Form, 'mistakeOf'>
}

interface Wiring {
  id: string
  name: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

function Labelled ({ name, label, hint, form, children }: Common & { children (wiring: Wiring): ComponentChildren }) {
  const id = useId()
  const mistake = form.mistakeOf(name)
  const descriptions = [hint === undefined ? '' : `${id}-hint`, mistake === undefined ? '' : `${id}-mistake`]
    .filter((part) => part !== '').join(' ')
  const wiring: Wiring = {
    id,
    name,
    ...descriptions === '' ? {} : { 'aria-describedby': descriptions },
    ...mistake === undefined ? {} : { 'aria-invalid': true }
  }
  return (
    <div class='field'>
      <label for={id}>{label}</label>
      {hint === undefined ? null : <p class='hint' id={`${id}-hint`}>{hint}</p>}
      {children(wiring)}
      {mistake === undefined ? null : <p class='mistake' id={`${id}-mistake`}>{sentence(mistake)}</p>}
    </div>
  )
}

/** The server's mistakes start in lower case, after the name of the field. */
function sentence (text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

type Attributes<Kind> = Omit<Kind, 'name' | 'label' | 'form' | 'icon'>

/** The browser itself follows `autofocus` only when a page or a dialog opens, not when a field appears in it. */
function focusOf ({ autofocus }: { autofocus?: unknown }) {
  return autofocus === true ? focus : null
}

function focus (element: HTMLElement | null): void {
  element?.focus()
}

/** A field of one line. */
export function TextField ({ name, label, hint, form, ...rest }: Common & Attributes<InputHTMLAttributes>) {
  return (
    <Labelled {...{ name, label, hint, form }}>
      {(wiring) => <input type='text' {...rest as object} {...wiring} ref={focusOf(rest)} />}
    </Labelled>
  )
}

/** A password, which the user may show. */
export function PasswordField ({ name, label, hint, form, ...rest }: Common & Attributes<InputHTMLAttributes>) {
  const [shown, setShown] = useState(false)
  return (
    <Labelled {...{ name, label, hint, form }}>
      {(wiring) => (
        <span class='with-button'>
          <input
            maxLength={1024} required {...rest as object} {...wiring} ref={focusOf(rest)}
            {...{ type: shown ? 'text' : 'password' } as object}
          />
          <IconButton
            icon='eye' label={shown ? 'Hide the password' : 'Show the password'} aria-pressed={shown}
            onClick={() => setShown(!shown)}
          />
        </span>
      )}
    </Labelled>
  )
}

export function TextArea ({ name, label, hint, form, ...rest }: Common & Attributes<TextareaHTMLAttributes>) {
  return (
    <Labelled {...{ name, label, hint, form }}>
      {(wiring) => <textarea rows={4} {...rest as object} {...wiring} />}
    </Labelled>
  )
}

/** A choice of a few values: `[value, label]`. `defaultValue` is chosen first. */
export function SelectField (
  { name, label, hint, form, choices, defaultValue, ...rest }:
    Common & Attributes<SelectHTMLAttributes> & { choices: ReadonlyArray<readonly [string, string]> }
) {
  return (
    <Labelled {...{ name, label, hint, form }}>
      {(wiring) => (
        <select {...rest as object} {...wiring}>
          {choices.map(([value, text]) =>
            <option key={value} value={value} selected={value === defaultValue}>{text}</option>)}
        </select>
      )}
    </Labelled>
  )
}

/** A switch with two states; the value of the form has the name if it is on. */
export function CheckField ({ name, label, hint, form, ...rest }: Common & Attributes<InputHTMLAttributes>) {
  const id = useId()
  const mistake = form.mistakeOf(name)
  return (
    <div class='check-field'>
      <input
        id={id} name={name} aria-describedby={hint === undefined ? undefined : `${id}-hint`} {...rest as object}
        {...{ type: 'checkbox' } as object}
      />
      <div>
        <label for={id}>{label}</label>
        {hint === undefined ? null : <p class='hint' id={`${id}-hint`}>{hint}</p>}
        {mistake === undefined ? null : <p class='mistake'>{sentence(mistake)}</p>}
      </div>
    </div>
  )
}
