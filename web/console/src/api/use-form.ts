import { useRef, useState } from 'preact/hooks'

import { ApiError } from './errors.ts'
import { SignedOut } from './prompts.ts'

export interface Form {
  /** Whether the form is being sent. */
  busy: boolean
  /** The error that belongs to no field. */
  error: Error | undefined
  /** Returns the mistake in a field. */
  mistakeOf (name: string): string | undefined
  /** The properties of the `<form>`. */
  props: { onSubmit (event: SubmitEvent): void, noValidate: true }
}

export type Values = Readonly<Record<string, string>>

/**
 * Sends a form. A mistake that the server finds in a member of the body is shown at the field with that name, and the
 * first such field gets the focus. What was entered stays in the form after every error.
 *
 * @param submit gets the values of the named fields; an error that it throws is shown
 * @param check returns mistakes by field before anything is sent. Default: none
 */
export function useForm (
  submit: (values: Values, form: HTMLFormElement) => Promise<unknown>,
  check: (values: Values) => Record<string, string | undefined> = () => ({})
): Form {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const [mistakes, setMistakes] = useState<Readonly<Record<string, string>>>({})
  const sending = useRef(false)

  async function onSubmit (event: SubmitEvent) {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    if (sending.current) return
    const values = valuesOf(form)
    const found = { ...invalidFields(form), ...defined(check(values)) }
    setError(undefined)
    setMistakes(found)
    if (Object.keys(found).length > 0) return focusFirst(form, found)
    sending.current = true
    setBusy(true)
    try {
      await submit(values, form)
    } catch (thrown) {
      if (!(thrown instanceof SignedOut)) report(form, thrown as Error)
    } finally {
      sending.current = false
      setBusy(false)
    }
  }

  function report (form: HTMLFormElement, thrown: Error) {
    const details = thrown instanceof ApiError ? thrown.details : []
    const known = details.flatMap(({ path, message }) => {
      const name = fieldOf(form, path)
      return name === undefined ? [] : [[name, message] as const]
    })
    const byField = Object.fromEntries(known)
    setMistakes(byField)
    if (known.length === 0 || known.length < details.length) setError(thrown)
    focusFirst(form, byField)
  }

  return {
    busy,
    error,
    mistakeOf: (name) => mistakes[name],
    props: { onSubmit: (event) => { onSubmit(event).catch(setError) }, noValidate: true }
  }
}

function valuesOf (form: HTMLFormElement): Values {
  const entries = [...new FormData(form)].map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries(entries)
}

/** What the browser itself finds wrong, in its own words. */
function invalidFields (form: HTMLFormElement): Record<string, string> {
  const fields = [...form.elements].filter((field) => field instanceof HTMLInputElement ||
    field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)
  return Object.fromEntries(
    fields.filter(({ name, validity }) => name !== '' && !validity.valid).map(({ name, validationMessage }) =>
      [name, validationMessage])
  )
}

function defined (mistakes: Record<string, string | undefined>): Record<string, string> {
  const isMistake = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined
  return Object.fromEntries(Object.entries(mistakes).filter(isMistake))
}

/**
 * Returns the name of the field of a JSON pointer: `/domains/2` belongs to `domains`, and `/settings/issuer` to
 * `settings/issuer`, or else to `settings`.
 */
function fieldOf (form: HTMLFormElement, pointer: string): string | undefined {
  const parts = pointer.split('/').slice(1)
  const names = parts.map((_part, at) => parts.slice(0, parts.length - at).join('/'))
  return names.find((name) => name !== '' && form.elements.namedItem(name) instanceof HTMLElement)
}

function focusFirst (form: HTMLFormElement, mistakes: Readonly<Record<string, string>>): void {
  const names = new Set(Object.keys(mistakes))
  const first = [...form.elements].find((field) => names.has(field.getAttribute('name') ?? ''))
  if (first instanceof HTMLElement) first.focus()
}
