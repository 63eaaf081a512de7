import { useLayoutEffect, useRef } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { Button } from './button.tsx'
import { SelectField, TextField } from './field.tsx'

export interface Filter {
  /** The parameter of the URL and of the API. */
  name: string
  label: string
  /** `[value, label]`: a choice, which applies at once. The first one has an empty value. */
  choices?: ReadonlyArray<readonly [string, string]>
  /** A time, shown in the zone of the reader. */
  isTime?: true
  maxLength?: number
  /** Shown below "More filters". */
  isRare?: true
}

const NO_MISTAKES = { mistakeOf: () => undefined }

/** The filters of a list. They are in the URL: read them with `useFilters`. */
export function Filters ({ label, filters }: { label: string, filters: readonly Filter[] }) {
  const { path, query, route } = useLocation()
  const form = useRef<HTMLFormElement>(null)
  const isSet = filters.some(({ name }) => query[name] !== undefined)
  const rare = filters.filter(({ isRare }) => isRare)
  const isTyped = filters.some(({ choices }) => choices === undefined)
  const values = JSON.stringify(filters.map(({ name, choices }) => [query[name], choices?.length]))

  // Also after the back button, and when the choices have been loaded.
  useLayoutEffect(() => {
    for (const { name, isTime } of filters) {
      const field = form.current?.elements.namedItem(name)
      if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue
      field.value = isTime ? localTime(query[name]) : query[name] ?? ''
    }
  }, [values])

  function apply (given: FormData | null) {
    const others = Object.entries(query).filter(([name]) => name !== 'cursor' && filters.every((one) => one.name !== name))
    const parameters = new URLSearchParams(others)
    for (const { name, isTime } of filters) {
      const value = String(given?.get(name) ?? '')
      if (value !== '') parameters.set(name, isTime ? new Date(value).toISOString() : value)
    }
    route(`${path}?${parameters.toString()}`)
  }

  const clear = isSet ? <Button kind='ghost' onClick={() => apply(null)}>Clear the filters</Button> : null
  const fieldOf = ({ name, label, choices, isTime, maxLength }: Filter) => choices === undefined
    ? <TextField
        key={name} name={name} label={label} form={NO_MISTAKES} {...isTime ? { type: 'datetime-local' } : {}}
        {...maxLength === undefined ? {} : { maxLength }} autocomplete='off' spellcheck={false}
      />
    : <SelectField key={name} name={name} label={label} form={NO_MISTAKES} choices={choices} />

  return (
    <form
      ref={form} class='filters' role='search' aria-label={label}
      onSubmit={(event) => {
        event.preventDefault()
        apply(new FormData(event.currentTarget))
      }}
      onChange={({ target }) => { if (target instanceof HTMLSelectElement) target.form?.requestSubmit() }}
    >
      <div class='filter-fields'>
        {filters.filter(({ isRare }) => !isRare).map(fieldOf)}
        {isTyped || clear === null ? null : <div class='actions'>{clear}</div>}
      </div>
      {rare.length === 0
        ? null
        : (
          <details open={rare.some(({ name }) => query[name] !== undefined)}>
            <summary>More filters</summary>
            <div class='filter-fields'>{rare.map(fieldOf)}</div>
          </details>
          )}
      {isTyped ? <div class='actions'><Button type='submit' icon='search'>Find</Button>{clear}</div> : null}
    </form>
  )
}

/** Returns the filters that are set in the URL. */
export function useFilters (filters: readonly Filter[]): Readonly<Record<string, string>> {
  const { query } = useLocation()
  const set = filters.flatMap(({ name }) => query[name] === undefined ? [] : [[name, query[name]] as const])
  return Object.fromEntries(set)
}

/** The value of a field for times: ISO-8601 without a zone. */
function localTime (text: string | undefined): string {
  const time = new Date(text ?? '').getTime()
  if (Number.isNaN(time)) return ''
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
