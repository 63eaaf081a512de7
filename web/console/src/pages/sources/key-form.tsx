import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { CheckField, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { domainMistake, domainsOf } from './domain.ts'
import { DomainField } from './domain-field.tsx'
import type { PipelineKey } from './key-cells.tsx'
import type { Source } from './state.tsx'

interface KeyFormProps {
  source: Source
  /** The key to change. Default: a new one. */
  pipelineKey?: PipelineKey
  onDone: () => void
  onClose: () => void
}

/** Creates or changes a named key. */
export function KeyForm ({ source, pipelineKey, onDone, onClose }: KeyFormProps) {
  const [own, setOwn] = useState(pipelineKey !== undefined && pipelineKey.domains !== null)
  const form = useForm(async ({ name = '', domains = '', expires_at: time = '' }) => {
    const body = {
      name: name.trim(),
      domains: own ? domainsOf(domains) : null,
      // The field shows minutes: an unchanged time keeps its seconds.
      ...time === localTime(pipelineKey?.expires_at ?? null) ? {} : { expires_at: time === '' ? null : new Date(time).toISOString() }
    }
    if (pipelineKey === undefined) {
      await call('post', 'sources/{id}/keys', { path: { id: source.id }, body })
      toast(`The key "${body.name}" is created.`)
    } else {
      await call('patch', 'sources/{id}/keys/{key_id}', { path: { id: source.id, key_id: pipelineKey.id }, body })
      toast(`The key "${body.name}" is changed.`)
    }
    onDone()
    onClose()
  }, ({ domains = '', expires_at: time = '' }) => ({
    domains: own ? domainMistake(domains) : undefined,
    expires_at: time !== '' && Number.isNaN(Date.parse(time)) ? 'Enter a date and a time.' : undefined
  }))
  return (
    <Dialog title={pipelineKey === undefined ? 'New pipeline key' : `Edit "${pipelineKey.name}"`} onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='name' label='Name' required maxLength={200} form={form} autofocus placeholder='Blog'
          defaultValue={pipelineKey?.name ?? ''}
        />
        <TextField
          name='expires_at' label='Expires' type='datetime-local' form={form}
          defaultValue={localTime(pipelineKey?.expires_at ?? null)} hint='In your time zone. Empty: never.'
        />
        <CheckField
          name='own_domains' label='Own domains' form={form} checked={own}
          hint='Replace the domains of the source for this key.' onChange={({ currentTarget }) => setOwn(currentTarget.checked)}
        />
        {own
          ? (
            <DomainField
              form={form} domains={pipelineKey?.domains ?? []}
              hint='The sites whose pages may send with this key, one a line. Empty: only servers send.'
            />
            )
          : null}
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>
            {pipelineKey === undefined ? 'Create the key' : 'Save'}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

/** A time as a field of the browser shows it, in the zone of the reader. */
function localTime (at: string | null): string {
  if (at === null) return ''
  const date = new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
