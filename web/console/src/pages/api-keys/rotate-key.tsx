import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { SecretOnce } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import type { ApiKey } from './index.tsx'

const OVERLAPS: ReadonlyArray<readonly [string, string]> = [
  ['86400', '1 day'], ['3600', '1 hour'], ['604800', '7 days'], ['0', 'Not at all: stop it now']
]

interface RotateKeyProps {
  apiKey: ApiKey
  onClose: () => void
  onChanged: () => void
}

interface Rotated {
  key: string
  /** When the previous key stops, ISO-8601; `null`: it has stopped. */
  previousUntil: string | null
}

/** Replaces a key; the previous one works for a chosen time, so that programs can change over. */
export function RotateKey ({ apiKey: { id, name, expires_at: end }, onClose, onChanged }: RotateKeyProps) {
  const [overlap, setOverlap] = useState('86400')
  const [rotated, setRotated] = useState<Rotated>()
  const form = useForm(async () => {
    const seconds = Number(overlap)
    const { key } = await call('post', 'keys/{id}/rotate', { path: { id }, body: { overlap_seconds: seconds } })
    const last = Math.min(Date.now() + seconds * 1_000, end === null ? Infinity : Date.parse(end))
    setRotated({ key, previousUntil: seconds === 0 ? null : new Date(last).toISOString() })
    onChanged()
  })
  if (rotated !== undefined) {
    return (
      <Dialog title={`The new key of "${name}"`}>
        <Notice>
          {rotated.previousUntil === null
            ? 'The previous key has stopped working.'
            : <>The previous key stops working <Time at={rotated.previousUntil} />.</>}
        </Notice>
        <SecretOnce values={[rotated.key]} what='API key' onDone={onClose} />
      </Dialog>
    )
  }
  return (
    <Dialog title={`Rotate "${name}"?`} onClose={onClose}>
      <p>A new key replaces this one, with the same role, permissions and expiry. It is shown once.</p>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <SelectField
          name='overlap_seconds' label='The previous key works for' form={form} choices={OVERLAPS} value={overlap}
          hint={overlap === '0' ? 'Programs that still use the previous key are refused with 401 at once.' : 'Give the new key to your programs in this time.'}
          onChange={({ currentTarget }) => setOverlap(currentTarget.value)}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={overlap === '0' ? 'danger' : 'primary'} type='submit' busy={form.busy}>Rotate the key</Button>
        </footer>
      </form>
    </Dialog>
  )
}
