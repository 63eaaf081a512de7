import { useState } from 'preact/hooks'

import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'

const OVERLAPS = [['86400', 'For 24 hours'], ['3600', 'For 1 hour'], ['604800', 'For 7 days'], ['0', 'Not at all']] as const
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

interface RotationProps {
  /** What is replaced, such as "pipeline key". */
  what: string
  title: string
  /** What happens to those who use the old one at its end. */
  consequence: string
  /** Further fields of the form. */
  fields?: (form: ReturnType<typeof useForm>) => preact.ComponentChildren
  rotate: (overlapSeconds: number, values: Readonly<Record<string, string>>) => Promise<unknown>
  onClose: () => void
}

/** Replaces a key or a secret. The old one works for a chosen time, so that nobody is interrupted. */
export function Rotation ({ what, title, consequence, fields, rotate, onClose }: RotationProps) {
  const [overlap, setOverlap] = useState<string>(OVERLAPS[0][0])
  const form = useForm(async (values) => {
    await rotate(Number(overlap), values)
    onClose()
  })
  return (
    <Dialog title={title} onClose={form.busy ? undefined : onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        {fields?.(form)}
        <SelectField
          name='overlap_seconds' label={`The old ${what} also works`} form={form} choices={OVERLAPS} defaultValue={overlap}
          onChange={({ currentTarget }) => setOverlap(currentTarget.value)}
        />
        {overlap === '0'
          ? <Notice kind='warning'>The old {what} stops working at once. {consequence}</Notice>
          : (
            <Notice>
              The old {what} works until {time.format(Date.now() + Number(overlap) * 1_000)}. {consequence} An older{' '}
              {what} that still works ends now.
            </Notice>
            )}
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={overlap === '0' ? 'danger' : 'primary'} type='submit' busy={form.busy}>Rotate the {what}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
