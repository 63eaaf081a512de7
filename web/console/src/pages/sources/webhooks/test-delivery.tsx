import { useState } from 'preact/hooks'

import { call } from '../../../api/client.ts'
import type { Reply } from '../../../api/paths.ts'
import { useForm } from '../../../api/use-form.ts'
import { Button } from '../../../ui/button.tsx'
import { TextArea } from '../../../ui/field.tsx'
import { Section } from '../../../ui/layout.tsx'
import { ErrorNotice, Notice } from '../../../ui/states.tsx'
import { toast } from '../../../ui/toast.tsx'
import type { Source } from '../state.tsx'
import { sampleOf } from './samples.ts'
import type { Webhook } from './presets.ts'

type Tried = Reply<'post', 'sources/{id}/webhooks/{wid}/test'>
type Json = Record<string, unknown> | unknown[]

interface TestDeliveryProps {
  source: Source
  webhook: Webhook
  /** Called after the mapping was saved. */
  onSaved: () => void
}

/** Tries a delivery with the saved mapping or another one, which can then be saved. */
export function TestDelivery ({ source, webhook, onSaved }: TestDeliveryProps) {
  const path = { id: source.id, wid: webhook.id }
  const [sample] = useState(() => sampleOf(webhook))
  const [tried, setTried] = useState<Tried>()
  const form = useForm(async (values, element) => {
    const body = objectIn(values['body']) ?? {}
    const headers = headersIn(values['headers'])
    const mapping = objectIn(values['mapping'])
    const saves = element.dataset['action'] === 'save'
    const result = await call('post', 'sources/{id}/webhooks/{wid}/test', {
      path, body: { body, headers, mapping: mapping as Webhook['mapping'] }
    })
    setTried(result)
    if (!saves) return
    if (result.errors.length > 0) throw new Error('The mapping is not saved, because this delivery would be refused.')
    await call('patch', 'sources/{id}/webhooks/{wid}', { path, body: { mapping: mapping as Webhook['mapping'] } })
    toast('The mapping is saved.')
    onSaved()
  }, (values) => ({
    body: objectIn(values['body']) instanceof Object ? undefined : 'Enter JSON: an object or a list.',
    mapping: values['mapping']?.trim() !== '' && objectIn(values['mapping']) === undefined ? 'Enter a JSON object.' : undefined
  }))
  const run = (action: 'try' | 'save') => ({ currentTarget }: { currentTarget: HTMLButtonElement }) => {
    const element = currentTarget.form
    if (element !== null) element.dataset['action'] = action
  }
  return (
    <Section title='Test delivery' lead='Shows which events a delivery becomes. Nothing is stored, and no signature is needed.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <div class='fields wide-fields'>
          <div class='stack'>
            <TextArea
              name='body' label='Body' form={form} rows={11} spellcheck={false} class='mono'
              defaultValue={JSON.stringify(sample.body, null, 2)}
            />
            <TextArea
              name='headers' label='Headers' form={form} rows={2} spellcheck={false} class='mono'
              hint='One a line. Only those that the mapping reads matter.'
              defaultValue={Object.entries(sample.headers).map((pair) => pair.join(': ')).join('\n')}
            />
          </div>
          <TextArea
            name='mapping' label='Mapping' form={form} rows={11} spellcheck={false} class='mono'
            placeholder={'{\n  "event": "$.type",\n  "userId": "$.data.customer"\n}'}
            hint='JSON paths for event, userId, messageId, properties and others, in place of those of the service. Empty: only those.'
            defaultValue={webhook.mapping === null ? '' : JSON.stringify(webhook.mapping, null, 2)}
          />
        </div>
        <div class='actions'>
          <Button kind='primary' type='submit' busy={form.busy} onClick={run('try')}>Test</Button>
          <Button type='submit' onClick={run('save')}>Test and save the mapping</Button>
        </div>
      </form>
      <div role='status'>{tried === undefined ? null : <Result tried={tried} />}</div>
    </Section>
  )
}

function Result ({ tried: { events, errors } }: { tried: Tried }) {
  return (
    <div class='stack close'>
      {errors.length === 0
        ? <Notice kind='good'>{events.length === 1 ? 'The delivery becomes one event.' : `The delivery becomes ${events.length} events.`}</Notice>
        : (
          <Notice kind='warning'>
            <p>
              {events.length === 0
                ? 'The delivery would be refused.'
                : `${errors.length} of ${events.length + errors.length} events would be refused.`}
            </p>
            <ul>
              {errors.map(({ index, code, message }) => (
                <li key={index}>Event {index + 1}: {message} <code>{code}</code></li>
              ))}
            </ul>
          </Notice>
          )}
      {events.length === 0
        ? null
        : (
          <div class='code-block'>
            <pre tabIndex={0} role='group' aria-label='The events'>{events.map((event) => JSON.stringify(event, null, 2)).join('\n')}</pre>
          </div>
          )}
    </div>
  )
}

/** Returns the object or list in a JSON text; `null` for an empty text, `undefined` for anything else. */
function objectIn (text = ''): Json | null | undefined {
  if (text.trim() === '') return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Json : undefined
  } catch {
    return undefined
  }
}

function headersIn (text = ''): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'))
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
  }))
}
