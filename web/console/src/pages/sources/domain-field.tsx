import { useState } from 'preact/hooks'

import type { Form } from '../../api/use-form.ts'
import { TextArea } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { readDomains } from './domain.ts'

interface DomainFieldProps {
  form: Form
  label?: string
  hint?: string
  /** The current domains. */
  domains?: readonly string[]
}

/** The domains of a source or a key, one a line. Says for each line which pages it allows, as the user types. */
export function DomainField (
  { form, label = 'Domains', hint = 'The sites whose pages may send, one a line.', domains = [] }: DomainFieldProps
) {
  const [text, setText] = useState(() => domains.join('\n'))
  const lines = readDomains(text)
  return (
    <div class='stack close'>
      <TextArea
        name='domains' label={label} hint={hint} form={form} rows={4} placeholder='shop.example.com' spellcheck={false}
        defaultValue={domains.join('\n')} onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <ul class='checks' aria-label='What the domains allow' aria-live='polite'>
        {lines.map(({ text: line, valid, meaning }) => (
          <li key={line} class={valid ? 'good' : 'bad'}>
            <Icon name={valid ? 'check' : 'alert'} size={14} />
            <span><code>{line}</code> {meaning}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
