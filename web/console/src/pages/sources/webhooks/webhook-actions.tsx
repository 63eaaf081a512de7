import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../../api/client.ts'
import { may } from '../../../api/session.ts'
import { Confirm } from '../../../ui/dialog.tsx'
import { TextField } from '../../../ui/field.tsx'
import { Icon } from '../../../ui/icon.tsx'
import { Menu } from '../../../ui/menu.tsx'
import type { MenuItem } from '../../../ui/menu.tsx'
import { toast } from '../../../ui/toast.tsx'
import { keepSecret } from '../new-secret.ts'
import { Rotation } from '../rotation.tsx'
import type { Source } from '../state.tsx'
import { PRESETS } from './presets.ts'
import type { Webhook } from './presets.ts'

interface WebhookActionsProps {
  source: Source
  webhook: Webhook
  all: string
  onChange: () => void
  /** Called with a secret that the server has created. */
  onSecret: (secret: string) => void
}

/** What the role of the user may do with a webhook. */
export function WebhookActions ({ source, webhook, all, onChange, onSecret }: WebhookActionsProps) {
  const { route } = useLocation()
  const [open, setOpen] = useState<'rotate' | 'disable' | 'delete'>()
  const { id: wid, name, enabled, provider } = webhook
  const path = { id: source.id, wid }
  const preset = PRESETS.find((one) => one.provider === provider)
  const close = () => setOpen(undefined)

  async function enable (on: boolean) {
    await call('patch', 'sources/{id}/webhooks/{wid}', { path, body: { enabled: on } })
    toast(`The webhook "${name}" is ${on ? 'enabled' : 'disabled'}.`)
    onChange()
  }

  async function rotate (overlap: number, { secret = '' }: Readonly<Record<string, string>>) {
    const rotated = await call('post', 'sources/{id}/webhooks/{wid}/rotate-secret', {
      path, body: { overlap_seconds: overlap, ...secret === '' ? {} : { secret } }
    })
    if (rotated.secret !== undefined) {
      keepSecret(wid, rotated.secret)
      onSecret(rotated.secret)
    }
    toast(`The secret of "${name}" is replaced.`)
    onChange()
  }

  async function remove () {
    await call('delete', 'sources/{id}/webhooks/{wid}', { path })
    toast(`The webhook "${name}" is deleted.`)
    route(all)
  }

  const items: MenuItem[] = [
    ...may('admin') ? [{ label: 'Rotate the secret…', run: () => setOpen('rotate') }] : [],
    ...may('editor')
      ? [enabled
          ? { label: 'Disable…', run: () => setOpen('disable') }
          : { label: 'Enable', run: () => { enable(true).catch((error: Error) => toast(error.message)) } }]
      : [],
    ...may('admin') ? [{ label: 'Delete…', run: () => setOpen('delete') }] : []
  ]
  if (items.length === 0) return null
  return (
    <>
      <Menu label={`Actions of ${name}`} items={items} align='end'><Icon name='more' /></Menu>
      {open === 'rotate'
        ? (
          <Rotation
            title={`Rotate the secret of "${name}"`} what='secret' rotate={rotate} onClose={close}
            consequence='After that, deliveries that are signed with it are refused with 401.'
            fields={(form) => (
              <TextField
                name='secret' label='New secret' form={form} required={!(preset?.creates ?? false)} maxLength={1024}
                autocomplete='off' spellcheck={false} hint={preset?.secretHint ?? ''}
              />
            )}
          />
          )
        : null}
      {open === 'disable'
        ? (
          <Confirm title={`Disable "${name}"?`} action='Disable the webhook' run={() => enable(false)} onClose={close}>
            <p>Deliveries are refused with 401 at once. Most services try again for some time and then give up.</p>
            <p>You can enable it again.</p>
          </Confirm>
          )
        : null}
      {open === 'delete'
        ? (
          <Confirm title={`Delete "${name}"?`} action='Delete the webhook' run={remove} onClose={close}>
            <p>Deliveries to its address are refused with 401 at once. Remove the address at the service too.</p>
            <p>Stored events stay. The webhook and its address cannot be restored.</p>
          </Confirm>
          )
        : null}
    </>
  )
}
