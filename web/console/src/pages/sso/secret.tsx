import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordField, SelectField, TextArea } from '../../ui/field.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import type { Provider } from './types.ts'

export const OVERLAPS: ReadonlyArray<readonly [string, string]> = [
  ['3600', '1 hour'], ['86400', '1 day'], ['604800', '7 days'], ['0', 'It ends at once']
]

interface SecretProps {
  provider: Provider
  onChanged: () => void
}

/** Replaces the client secret or the private key. A public client, and SAML without a key, have none. */
export function SecretSection ({ provider, onChanged }: SecretProps) {
  const [replacing, setReplacing] = useState(false)
  const { kind, settings } = provider
  if (kind === 'oidc' && settings['token_endpoint_auth_method'] === 'none') return null
  if (kind === 'saml' && settings['sp_certificates'] === undefined) return null
  const what = kind === 'oidc' ? 'client secret' : 'private key'
  return (
    <Section
      title={kind === 'oidc' ? 'Client secret' : 'Private key'} lead='It is stored encrypted and never shown.'
      actions={<Button onClick={() => setReplacing(true)}>Replace the {what}…</Button>}
    >
      {replacing ? <ReplaceSecret {...{ provider, onChanged, what }} onClose={() => setReplacing(false)} /> : null}
    </Section>
  )
}

function ReplaceSecret ({ provider, what, onChanged, onClose }: SecretProps & { what: string, onClose: () => void }) {
  const { id, kind } = provider
  const form = useForm(async ({ secret = '', overlap_seconds: overlap }) => {
    await call('post', 'identity-providers/{id}/rotate-secret', { path: { id }, body: { secret, overlap_seconds: Number(overlap) } })
    toast(`The ${what} is replaced.`)
    onClose()
    onChanged()
  })
  return (
    <Dialog title={`Replace the ${what}`} onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        {kind === 'oidc'
          ? <PasswordField name='secret' label='New client secret' maxLength={16_384} autocomplete='off' form={form} autofocus />
          : (
            <TextArea
              name='secret' label='New private key' class='code' rows={6} required maxLength={16_384} spellcheck={false} form={form}
              placeholder='-----BEGIN PRIVATE KEY-----' hint='PEM. First add its certificate in the settings, before the old one.'
            />
            )}
        <SelectField
          name='overlap_seconds' label={`The previous ${what} works for`} form={form} choices={OVERLAPS} defaultValue='86400'
          hint='Create the new one at the provider, enter it here, and delete the old one there afterwards: no sign-in fails.'
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Replace it</Button>
        </footer>
      </form>
    </Dialog>
  )
}
