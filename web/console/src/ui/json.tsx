import type { ComponentChildren } from 'preact'

import { CopyButton } from './copy.tsx'

const OPEN_LEVELS = 3

/** JSON whose objects and arrays can be closed, and which can be copied. `what` names it, such as "event". */
export function Json ({ value, what }: { value: unknown, what: string }) {
  return (
    <div class='json'>
      <div class='json-tree' role='group' aria-label={`The ${what} as JSON`}><Value value={value} level={0} /></div>
      <CopyButton value={JSON.stringify(value, null, 2)} what={what} />
    </div>
  )
}

/** A text that was sent as JSON; any other text is shown as it is. */
export function JsonText ({ text, what }: { text: string, what: string }) {
  const value = parsed(text)
  if (value !== undefined) return <Json value={value} what={what} />
  return (
    <div class='json'>
      <pre>{text}</pre>
      <CopyButton value={text} what={what} />
    </div>
  )
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function Value ({ name, value, level }: { name?: string, value: unknown, level: number }) {
  const key = name === undefined ? null : <><span class='json-key'>{name}</span>: </>
  if (typeof value !== 'object' || value === null) return <div>{key}<Scalar value={value} /></div>
  const isArray = Array.isArray(value)
  const entries = Object.entries(value)
  const [start, end] = isArray ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) return <div>{key}{start}{end}</div>
  return (
    <details open={level < OPEN_LEVELS}>
      <summary>{key}{start}<span class='json-count'>{countOf(entries.length, isArray)}</span></summary>
      <ul>
        {entries.map(([member, child]) => (
          <li key={member}>
            <Value {...isArray ? {} : { name: member }} value={child} level={level + 1} />
          </li>
        ))}
      </ul>
      <div>{end}</div>
    </details>
  )
}

function countOf (count: number, isArray: boolean): string {
  if (isArray) return count === 1 ? '1 item' : `${count} items`
  return count === 1 ? '1 property' : `${count} properties`
}

function Scalar ({ value }: { value: unknown }): ComponentChildren {
  return <span class={`json-${value === null ? 'null' : typeof value}`}>{JSON.stringify(value)}</span>
}
