import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { allowsPasskeys } from '../../api/passkeys.ts'
import type { Reply } from '../../api/paths.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { SecretOnce } from '../../ui/copy.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { Badge, Section } from '../../ui/layout.tsx'
import { Empty, ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { AddApp, AddPasskey } from './add-factor.tsx'

type State = Reply<'get', 'auth/mfa'>

interface Factor {
  id: string
  name: string
  kind: 'app' | 'passkey'
  since: string
  lastUsed: string | null
}

type Task = { kind: 'app' | 'passkey' | 'codes' } | { kind: 'remove', factor: Factor } | { kind: 'show', codes: readonly string[] }

/** The second factors of the user. */
export function Factors () {
  const { data, error, reload } = useQuery('factors', (signal) => call('get', 'auth/mfa', { signal }))
  const [task, setTask] = useState<Task>()
  const passkeys = has('passkeys') && allowsPasskeys()
  const close = () => setTask(undefined)

  /** New recovery codes are shown once; an account that had a factor before keeps its codes. */
  function added (codes: readonly string[]) {
    reload()
    setTask(codes.length === 0 ? undefined : { kind: 'show', codes })
    if (codes.length === 0) toast('The second factor is added.')
  }

  const factors = data === undefined ? [] : factorsOf(data)
  return (
    <Section
      title='Second factors' lead='A sign-in then needs something that you have, besides the password.'
      actions={
        <>
          <Button onClick={() => setTask({ kind: 'app' })}>{data?.totp ? 'Replace the app…' : 'Add an app…'}</Button>
          {passkeys ? <Button icon='key' onClick={() => setTask({ kind: 'passkey' })}>Add a passkey…</Button> : null}
        </>
      }
    >
      {data === undefined ? error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} /> : null}
      {data !== undefined && factors.length === 0
        ? <Empty icon='lock' title='No second factor'>Anyone who learns your password can sign in. Add an authenticator app or a passkey.</Empty>
        : null}
      {factors.length === 0 ? null : <FactorTable factors={factors} onRemove={(factor) => setTask({ kind: 'remove', factor })} />}
      {data === undefined || factors.length === 0
        ? null
        : <CodesLeft left={data.recovery_codes_left} onReplace={() => setTask({ kind: 'codes' })} />}

      {task?.kind === 'app' ? <AddApp isFirst={factors.length === 0} onAdded={added} onClose={close} /> : null}
      {task?.kind === 'passkey' ? <AddPasskey isFirst={factors.length === 0} onAdded={added} onClose={close} /> : null}
      {task?.kind === 'show'
        ? <Dialog title='Your recovery codes'><SecretOnce what='recovery codes' values={task.codes} onDone={close} /></Dialog>
        : null}
      {task?.kind === 'codes' ? <ReplaceCodes onCodes={added} onClose={close} /> : null}
      {task?.kind === 'remove' ? <Remove factor={task.factor} onRemoved={reload} onClose={close} /> : null}
    </Section>
  )
}

function factorsOf ({ totp, passkeys }: State): Factor[] {
  const app: Factor[] = totp === null
    ? []
    : [{ id: 'totp', name: 'Authenticator app', kind: 'app', since: totp.confirmed_at, lastUsed: null }]
  return [...app, ...passkeys.map(({ id, name, created_at: since, last_used_at: lastUsed }) =>
    ({ id, name, kind: 'passkey' as const, since, lastUsed }))]
}

function FactorTable ({ factors, onRemove }: { factors: readonly Factor[], onRemove: (factor: Factor) => void }) {
  return (
    <Table
      caption='Second factors' rows={factors} keyOf={({ id }) => id}
      columns={[
        {
          title: 'Name',
          cell: ({ name, kind }) => <span class='badges'>{name}{kind === 'passkey' ? <Badge>Passkey</Badge> : null}</span>
        },
        { title: 'Added', cell: ({ since }) => <Time at={since} /> },
        { title: 'Last used', cell: ({ kind, lastUsed }) => kind === 'app' ? <span class='soft'>–</span> : <Time at={lastUsed} /> },
        { title: 'Actions', kind: 'actions', cell: (factor) => <Button kind='ghost' onClick={() => onRemove(factor)}>Remove…</Button> }
      ]}
    />
  )
}

function CodesLeft ({ left, onReplace }: { left: number, onReplace: () => void }) {
  return (
    <div class='line'>
      {left < 3
        ? <Notice kind='warning'>Only {left} recovery codes are left.</Notice>
        : <p class='soft'>{left} recovery codes are left, for the day when you have lost the others.</p>}
      <Button onClick={onReplace}>Replace the codes…</Button>
    </div>
  )
}

function ReplaceCodes ({ onCodes, onClose }: { onCodes: (codes: readonly string[]) => void, onClose: () => void }) {
  const [codes, setCodes] = useState<readonly string[]>()
  if (codes !== undefined) {
    return <Dialog title='Your recovery codes'><SecretOnce what='recovery codes' values={codes} onDone={() => onCodes([])} /></Dialog>
  }
  return (
    <Confirm
      title='Replace the recovery codes?' action='Replace the codes' onClose={onClose} onDone={() => {}}
      run={async () => {
        const reply = await call('post', 'auth/mfa/recovery-codes', {})
        setCodes(reply.recovery_codes)
      }}
    >
      <p>The present codes stop working, and you get ten new ones.</p>
    </Confirm>
  )
}

function Remove ({ factor, onRemoved, onClose }: { factor: Factor, onRemoved: () => void, onClose: () => void }) {
  const { id, name, kind } = factor
  async function remove () {
    if (kind === 'app') await call('delete', 'auth/mfa/totp', {})
    else await call('delete', 'auth/mfa/passkeys/{id}', { path: { id } })
    toast(`"${name}" is removed.`)
    onRemoved()
  }
  return (
    <Confirm title={`Remove "${name}"?`} action='Remove it' run={remove} onClose={onClose}>
      <p>It no longer signs you in.</p>
      <p>If it is your last second factor, the password alone signs you in, and your recovery codes end.</p>
    </Confirm>
  )
}
