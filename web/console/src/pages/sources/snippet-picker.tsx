import type { ComponentChildren } from 'preact'

import { useLocation } from 'preact-iso'

import { CodeBlock } from '../../ui/code.tsx'
import { snippetsOf } from './snippets.ts'

interface SnippetPickerProps {
  pipelineKey: string
  /** What comes below the code. */
  children?: ComponentChildren
}

/** Code for a way to send events. The chosen way is in the URL. */
export function SnippetPicker ({ pipelineKey, children }: SnippetPickerProps) {
  const { path, query } = useLocation()
  const snippets = snippetsOf(pipelineKey)
  const chosen = snippets.find(({ id }) => id === query['send']) ?? snippets[0]
  const linkTo = (id: string) => `${path}?${new URLSearchParams({ ...query, send: id })}`
  if (chosen === undefined) return null
  return (
    <div class='picker'>
      <nav aria-label='Ways to send events'>
        {snippets.map(({ id, title }) => (
          <a key={id} href={linkTo(id)} aria-current={id === chosen.id ? 'true' : undefined}>{title}</a>
        ))}
      </nav>
      <div class='stack close'>
        <p class='soft'>{chosen.note}</p>
        <CodeBlock code={chosen.code} what={`${chosen.title} code`} />
        {children}
      </div>
    </div>
  )
}
