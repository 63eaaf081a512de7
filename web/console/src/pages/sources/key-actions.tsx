import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { Confirm } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Menu } from '../../ui/menu.tsx'
import type { MenuItem } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'
import { isExpired, nameOf } from './key-cells.tsx'
import type { PipelineKey } from './key-cells.tsx'
import { KeyForm } from './key-form.tsx'
import { Rotation } from './rotation.tsx'
import type { Source } from './state.tsx'

interface KeyActionsProps {
  source: Source
  pipelineKey: PipelineKey
  onChange: () => void
}

const REFUSED = 'Pages and servers that use it are refused with 401.'

/** What an administrator may do with a key. The own key of the source can only be rotated. */
export function KeyActions ({ source, pipelineKey, onChange }: KeyActionsProps) {
  const [open, setOpen] = useState<'edit' | 'rotate' | 'disable' | 'delete'>()
  const { id: keyId, name, enabled } = pipelineKey
  const path = { id: source.id, key_id: keyId }
  const close = () => setOpen(undefined)

  async function rotate (overlap: number) {
    const body = { overlap_seconds: overlap }
    if (name === null) await call('post', 'sources/{id}/rotate-key', { path: { id: source.id }, body })
    else await call('post', 'sources/{id}/keys/{key_id}/rotate', { path, body })
    toast(`${nameOf(pipelineKey)}: there is a new pipeline key.`)
    onChange()
  }

  async function enable (on: boolean) {
    await call('patch', 'sources/{id}/keys/{key_id}', { path, body: { enabled: on } })
    toast(`The key "${nameOf(pipelineKey)}" is ${on ? 'enabled' : 'disabled'}.`)
    onChange()
  }

  async function remove () {
    await call('delete', 'sources/{id}/keys/{key_id}', { path })
    toast(`The key "${nameOf(pipelineKey)}" is deleted.`)
    onChange()
  }

  const items: MenuItem[] = [
    ...isExpired(pipelineKey) ? [] : [{ label: 'Rotate…', run: () => setOpen('rotate') }],
    ...name === null
      ? []
      : [
          { label: 'Edit…', run: () => setOpen('edit') },
          enabled
            ? { label: 'Disable…', run: () => setOpen('disable') }
            : { label: 'Enable', run: () => { enable(true).catch((error: Error) => toast(error.message)) } },
          { label: 'Delete…', run: () => setOpen('delete') }
        ]
  ]

  return (
    <>
      <Menu label={`Actions of ${nameOf(pipelineKey)}`} items={items} align='end'><Icon name='more' /></Menu>
      {open === 'edit'
        ? <KeyForm source={source} pipelineKey={pipelineKey} onDone={onChange} onClose={close} />
        : null}
      {open === 'rotate'
        ? (
          <Rotation
            title={name === null ? 'Rotate the pipeline key' : `Rotate the key "${name}"`} what='pipeline key'
            consequence='After that, pages and servers that use it are refused with 401.' rotate={rotate} onClose={close}
          />
          )
        : null}
      {open === 'disable'
        ? (
          <Confirm title={`Disable "${name}"?`} action='Disable the key' run={() => enable(false)} onClose={close}>
            <p>The key stops working at once. {REFUSED}</p>
            <p>You can enable it again.</p>
          </Confirm>
          )
        : null}
      {open === 'delete'
        ? (
          <Confirm title={`Delete "${name}"?`} action='Delete the key' run={remove} onClose={close}>
            <p>The key stops working at once. {REFUSED}</p>
            <p>Stored events stay. The key cannot be restored.</p>
          </Confirm>
          )
        : null}
    </>
  )
}
