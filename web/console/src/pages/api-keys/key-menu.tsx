import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Menu } from '../../ui/menu.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import type { ApiKey } from './index.tsx'
import { RotateKey } from './rotate-key.tsx'

interface KeyProps {
  apiKey: ApiKey
  onChanged: () => void
}

type DialogProps = KeyProps & { onClose: () => void }

/** What may be done with a key: to rename or rotate one of a higher role is refused, to delete it is allowed. */
export function KeyMenu ({ apiKey, onChanged }: KeyProps) {
  const [task, setTask] = useState<'rename' | 'rotate' | 'delete'>()
  const close = () => setTask(undefined)
  const change = may(apiKey.role as Role)
    ? [
        { label: 'Rotate…', run: () => setTask('rotate') },
        { label: 'Rename…', run: () => setTask('rename') }
      ]
    : []
  return (
    <>
      <Menu label={`Actions for ${apiKey.name}`} align='end' items={[...change, { label: 'Delete…', run: () => setTask('delete') }]}>
        <Icon name='more' />
      </Menu>
      {task === 'rotate' ? <RotateKey apiKey={apiKey} onClose={close} onChanged={onChanged} /> : null}
      {task === 'rename' ? <RenameKey apiKey={apiKey} onClose={close} onChanged={onChanged} /> : null}
      {task === 'delete' ? <DeleteKey apiKey={apiKey} onClose={close} onChanged={onChanged} /> : null}
    </>
  )
}

function RenameKey ({ apiKey: { id, name: former }, onClose, onChanged }: DialogProps) {
  const form = useForm(async ({ name = '' }) => {
    await call('patch', 'keys/{id}', { path: { id }, body: { name } })
    toast(`The API key is now named "${name}".`)
    onChanged()
    onClose()
  })
  return (
    <Dialog title='Rename the API key' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='name' label='Name' required maxLength={200} defaultValue={former} autocomplete='off' form={form} autofocus />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Rename</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function DeleteKey ({ apiKey: { id, name, prefix, last_used_at: last }, onClose, onChanged }: DialogProps) {
  async function remove () {
    await call('delete', 'keys/{id}', { path: { id } })
    toast(`The API key "${name}" is deleted.`)
    onChanged()
  }
  return (
    <Confirm title={`Delete "${name}"?`} action='Delete the API key' run={remove} onClose={onClose}>
      <p>
        The key <code>{prefix}…</code> stops working on all servers within a second. Programs that use it are refused
        with 401. The key cannot be restored.
      </p>
      {last === null ? <p>The key was never used.</p> : <p>Last used: <Time at={last} />.</p>}
    </Confirm>
  )
}
