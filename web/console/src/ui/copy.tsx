import { useState } from 'preact/hooks'

import { Button, IconButton } from './button.tsx'
import { Notice } from './states.tsx'
import { toast } from './toast.tsx'

/** Copies a value. `what` names it, such as "pipeline key". */
export function CopyButton ({ value, what }: { value: string, what: string }) {
  const [done, setDone] = useState(false)
  async function copy () {
    await navigator.clipboard.writeText(value)
    setDone(true)
    toast(`The ${what} is copied.`)
    setTimeout(() => setDone(false), 2_000)
  }
  return (
    <IconButton
      icon={done ? 'check' : 'copy'} label={`Copy the ${what}`}
      onClick={() => { copy().catch(() => toast(`The browser does not allow copying. Select the ${what} and copy it.`)) }}
    />
  )
}

/** A value to copy, in one line. */
export function Copyable ({ value, what }: { value: string, what: string }) {
  return <span class='copyable'><code>{value}</code><CopyButton value={value} what={what} /></span>
}

/** A secret that the server shows only now. `onDone` is called when the user says that it is kept. */
export function SecretOnce ({ values, what, onDone }: { values: readonly string[], what: string, onDone: () => void }) {
  return (
    <div class='stack'>
      <Notice kind='warning'>
        Keep the {what} now, in a password manager or a secret store. It is shown only this once.
      </Notice>
      <div class='secret'>
        <pre>{values.join('\n')}</pre>
        <CopyButton value={values.join('\n')} what={what} />
      </div>
      <div class='actions'><Button kind='primary' onClick={onDone}>I have kept it</Button></div>
    </div>
  )
}
