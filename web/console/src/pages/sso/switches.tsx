import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call, callOpen } from '../../api/client.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { isProved, loadDomains } from './types.ts'
import type { Provider } from './types.ts'

interface SwitchesProps {
  provider: Provider
  onChanged: () => void
}

/** Disables, enables and deletes a provider. */
export function Switches ({ provider, onChanged }: SwitchesProps) {
  const { route } = useLocation()
  const [task, setTask] = useState<'disable' | 'delete'>()
  const [error, setError] = useState<Error>()
  const { id, name, enabled } = provider
  const close = () => setTask(undefined)

  async function enable (to: boolean) {
    await call('patch', 'identity-providers/{id}', { path: { id }, body: { enabled: to } })
    toast(`"${name}" is ${to ? 'enabled' : 'disabled'}.`)
    onChanged()
  }
  async function remove () {
    await call('delete', 'identity-providers/{id}', { path: { id } })
    toast(`"${name}" is deleted.`)
    route(at('sso'))
  }

  return (
    <>
      <Section
        title={enabled ? 'Disable the provider' : 'Enable the provider'}
        lead={enabled ? 'Nobody signs in through it, and its settings stay.' : 'People can sign in through it again.'}
        actions={enabled
          ? <Button kind='danger' onClick={() => setTask('disable')}>Disable…</Button>
          : <Button onClick={() => { setError(undefined); enable(true).catch(setError) }}>Enable</Button>}
      >
        <ErrorNotice error={error} />
      </Section>
      <Section
        title='Delete the provider' lead='Its settings, its secret and its links to accounts are deleted.'
        actions={<Button kind='danger' onClick={() => setTask('delete')}>Delete…</Button>}
      >
        {null}
      </Section>
      {task === 'disable'
        ? (
          <Confirm title={`Disable "${name}"?`} action='Disable the provider' run={() => enable(false)} onClose={close}>
            <p>Nobody can sign in through it until you enable it again. Open sessions go on until they end.</p>
            <LockedOut provider={provider} />
          </Confirm>
          )
        : null}
      {task === 'delete'
        ? (
          <Confirm
            title={`Delete "${name}"?`} action='Delete the provider' run={remove} onClose={close} onDone={() => {}}
          >
            <p>All sessions that began with it end at once. Nobody can sign in through it. It cannot be restored.</p>
            <LockedOut provider={provider} />
          </Confirm>
          )
        : null}
    </>
  )
}

interface Impact {
  domain: string
  required: boolean
  others: string[]
}

/** Says who can no longer sign in: for each proved domain, the providers that are left. */
function LockedOut ({ provider: { id } }: { provider: Provider }) {
  const { data, error, reload } = useQuery(`impact ${id}`, async (signal): Promise<Impact[]> => {
    const domains = (await loadDomains(signal)).filter(isProved)
    return await Promise.all(domains.slice(0, 20).map(async ({ domain, sso }) => {
      const { providers } = await callOpen('get', 'auth/sso', { query: { email: `somebody@${domain}` }, signal })
      const others = providers.filter((other) => other.id !== id).map(({ name }) => name)
      return { domain, required: sso === 'required', others }
    }))
  })
  if (data === undefined) {
    return error === undefined ? <Loading lines={1} /> : <ErrorNotice error={error} retry={reload} />
  }
  const locked = data.filter(({ required, others }) => required && others.length === 0).map(({ domain }) => domain)
  const left = [...new Set(data.flatMap(({ others }) => others))]
  if (locked.length > 0) {
    return (
      <Notice kind='warning'>
        Only owners can still sign in with an email of {listOf(locked)}: single sign-on is required there, and no other
        provider is left. Allow passwords first, or add another provider.
      </Notice>
    )
  }
  return left.length > 0
    ? <p>People can still sign in through {listOf(left)}.</p>
    : (
      <p>
        Only people with a password or passkey here can still sign in. Others have to set a password by “Forgot your
        password?”.
      </p>
      )
}

function listOf (names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
}
