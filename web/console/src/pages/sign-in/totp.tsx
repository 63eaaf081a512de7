import { useEffect, useState } from 'preact/hooks'

import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'

export interface TotpSecret {
  secret: string
  otpauth_url: string
}

/** Shows the secret of an authenticator app as a QR code, and confirms it with a first code. */
export function TotpSetUp ({ secret, confirm }: { secret: TotpSecret, confirm: (code: string) => Promise<unknown> }) {
  const form = useForm(async ({ code = '' }) => await confirm(code.replaceAll(' ', '')))
  return (
    <div class='stack'>
      <p>Scan the code with an authenticator app, then enter the six digits that it shows.</p>
      <QrCode text={secret.otpauth_url} />
      <p class='hint'>No camera? Enter this key in the app:</p>
      <Copyable value={secret.secret.replace(/.{4}(?=.)/g, '$& ')} what='key' />
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='code' label='Code' inputMode='numeric' autocomplete='one-time-code' required maxLength={10} form={form} autofocus
        />
        <Button kind='primary' type='submit' busy={form.busy}>Confirm</Button>
      </form>
    </div>
  )
}

function QrCode ({ text }: { text: string }) {
  const [cells, setCells] = useState<readonly (readonly boolean[])[]>([])
  useEffect(() => {
    import('uqr').then(({ encode }) => setCells(encode(text, { border: 2 }).data)).catch(() => {})
  }, [text])
  const path = cells.flatMap((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : '')).join('')
  return (
    <svg class='qr' viewBox={`0 0 ${cells.length || 1} ${cells.length || 1}`} role='img' aria-label='QR code of the key' shape-rendering='crispEdges'>
      <path d={path} fill='#000' />
    </svg>
  )
}
