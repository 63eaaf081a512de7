import { useState } from 'preact/hooks'

import { call } from '../../../api/client.ts'
import { useForm } from '../../../api/use-form.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog } from '../../../ui/dialog.tsx'
import { SelectField, TextField } from '../../../ui/field.tsx'
import { ErrorNotice } from '../../../ui/states.tsx'
import { toast } from '../../../ui/toast.tsx'
import { keepSecret } from '../new-secret.ts'
import { PRESETS } from './presets.ts'

interface NewWebhookProps {
  sourceId: string
  /** Called with the id of the new webhook. */
  onDone: (id: string) => void
  onClose: () => void
}

/** Creates a webhook from a preset of a service. */
export function NewWebhook ({ sourceId: id, onDone, onClose }: NewWebhookProps) {
  const [chosen, choose] = useState('stripe')
  const preset = PRESETS.find((one) => one.id === chosen) ?? PRESETS[0]
  const form = useForm(async (values) => {
    if (preset === undefined) return
    const { name = '', secret = '' } = values
    const webhook = await call('post', 'sources/{id}/webhooks', {
      path: { id },
      body: {
        provider: preset.provider,
        name: name.trim() === '' ? preset.title : name.trim(),
        ...secret === '' ? {} : { secret },
        ...preset.provider !== 'custom' ? {} : { custom: preset.custom ?? customOf(values) },
        ...preset.mapping === undefined ? {} : { mapping: preset.mapping }
      }
    })
    if (webhook.secret !== undefined) keepSecret(webhook.id, webhook.secret)
    toast(`The webhook "${webhook.name}" is created.`)
    onClose()
    onDone(webhook.id)
  })
  if (preset === undefined) return null
  return (
    <Dialog title='New webhook' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <SelectField
          name='preset' label='Service' form={form} choices={PRESETS.map(({ id: value, title }) => [value, title])}
          defaultValue={chosen} onChange={({ currentTarget }) => choose(currentTarget.value)}
        />
        <TextField name='name' label='Name' form={form} maxLength={200} placeholder={preset.title} hint='Empty: the name of the service.' />
        <TextField
          name='secret' label='Secret' form={form} maxLength={1024} required={!preset.creates} autocomplete='off'
          spellcheck={false} hint={preset.secretHint}
        />
        {preset.provider === 'custom' && preset.custom === undefined ? <CustomFields form={form} /> : null}
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Create the webhook</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function CustomFields ({ form }: { form: ReturnType<typeof useForm> }) {
  return (
    <>
      {/* The server reports a mistake in the signature at `custom`. */}
      <TextField
        name='custom' label='Header with the signature' form={form} required maxLength={64} placeholder='X-Signature'
        spellcheck={false} hint='An HMAC over the body with the secret.'
      />
      <div class='fields'>
        <SelectField name='encoding' label='Encoding' form={form} choices={[['hex', 'Hex'], ['base64', 'Base64']]} />
        <SelectField name='hash' label='Hash' form={form} choices={[['sha256', 'SHA-256'], ['sha512', 'SHA-512']]} />
      </div>
      <TextField
        name='prefix' label='Before the signature' form={form} maxLength={32} placeholder='sha256=' spellcheck={false}
        hint='What the header has in front of it. Empty: nothing.'
      />
      <TextField
        name='timestamp_header' label='Header with the timestamp' form={form} maxLength={64} spellcheck={false}
        hint='Signed as {timestamp}.{body}. Without it, anyone who has seen a delivery can send it again after a day.'
      />
    </>
  )
}

function customOf (values: Readonly<Record<string, string>>) {
  const { custom: header = '', encoding, hash, prefix = '', timestamp_header: timestamp = '' } = values
  return {
    header,
    encoding: encoding === 'base64' ? 'base64' as const : 'hex' as const,
    hash: hash === 'sha512' ? 'sha512' as const : 'sha256' as const,
    prefix,
    timestamp_header: timestamp === '' ? null : timestamp,
    template: '{timestamp}.{body}'
  }
}
