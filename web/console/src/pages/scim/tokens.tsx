import { useState } from 'preact/hooks'

import { allPages } from '../../api/all-pages.ts'
import { call } from '../../api/client.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Badge, Section } from '../../ui/layout.tsx'
import { Empty, ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { ROLE_NAMES } from '../sso/role-rows.tsx'
import { NewToken, RotateToken } from './token-forms.tsx'
import { isOfDirectory, mayProvision } from './token.ts'
import type { Token } from './token.ts'

type Task = { kind: 'new' | 'stop' } | { kind: 'rotate' | 'revoke', token: Token }

/** The tokens of directories: API keys with the one permission `scim:manage`. */
export function Tokens () {
  const { data, error, reload } = useQuery('scim tokens', (signal) =>
    allPages((query) => call('get', 'keys', { query, signal })))
  const [task, setTask] = useState<Task>()
  const close = () => setTask(undefined)
  const tokens = data?.filter(isOfDirectory) ?? []
  const others = data?.filter((key) => mayProvision(key) && !isOfDirectory(key)) ?? []
  const create = <Button icon='plus' onClick={() => setTask({ kind: 'new' })}>New token</Button>
  return (
    <Section
      title='Tokens' lead='Each directory authenticates with a separate token.'
      actions={tokens.length === 0 ? undefined : create}
    >
      {data === undefined ? error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} /> : null}
      {data !== undefined && tokens.length === 0
        ? (
          <Empty icon='sync' title='No directory is connected' action={create}>
            Create a token, and enter it in the directory with the base URL above.
          </Empty>
          )
        : null}
      {tokens.length === 0
        ? null
        : (
          <>
            <Table
              caption='Tokens' rows={tokens} keyOf={({ id }) => id}
              columns={[...COLUMNS, { title: 'Actions', kind: 'actions', cell: (token) => <Actions {...{ token, setTask }} /> }]}
            />
            <div class='line'>
              <p class='soft'>Without a token no directory changes users any more.</p>
              <Button kind='danger' onClick={() => setTask({ kind: 'stop' })}>Stop provisioning…</Button>
            </div>
          </>
          )}
      <OtherKeys names={others.map(({ name }) => name)} />
      {task?.kind === 'new' ? <NewToken onCreated={reload} onClose={close} /> : null}
      {task?.kind === 'rotate' ? <RotateToken token={task.token} onRotated={reload} onClose={close} /> : null}
      {task?.kind === 'revoke'
        ? <Revoke tokens={[task.token]} isLast={tokens.length === 1} onRevoked={reload} onClose={close} />
        : null}
      {task?.kind === 'stop' ? <Revoke tokens={tokens} isLast onRevoked={reload} onClose={close} /> : null}
    </Section>
  )
}

const COLUMNS: ReadonlyArray<Column<Token>> = [
  { title: 'Name', cell: ({ name, prefix }) => <span class='stacked'><strong>{name}</strong><small class='soft'>{prefix}…</small></span> },
  { title: 'At most', cell: ({ role }) => ROLE_NAMES[role as keyof typeof ROLE_NAMES] ?? role },
  { title: 'Last used', cell: ({ last_used_at: used }) => <Time at={used} never='Never used' /> },
  { title: 'Expires', cell: ({ expires_at: end }) => <Expiry end={end} /> }
]

const WARN_MS = 30 * 86_400_000

function Expiry ({ end }: { end: string | null }) {
  const left = end === null ? Infinity : Date.parse(end) - Date.now()
  if (left <= 0) return <Badge tone='bad'>Expired</Badge>
  return (
    <span class='badges'><Time at={end} />{left < WARN_MS ? <Badge tone='warning'>Soon</Badge> : null}</span>
  )
}

function Actions ({ token, setTask }: { token: Token, setTask: (task: Task) => void }) {
  return (
    <span class='badges'>
      <Button kind='ghost' onClick={() => setTask({ kind: 'rotate', token })}>Rotate…</Button>
      <Button kind='ghost' onClick={() => setTask({ kind: 'revoke', token })}>Revoke…</Button>
    </span>
  )
}

/** API keys that could provision too, so that nobody believes that the list above is all. */
function OtherKeys ({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(names.map((name) => `"${name}"`))
  return (
    <Notice kind='warning'>
      {names.length === 1 ? 'The API key' : 'The API keys'} {list} may also provision users. A key with a list of permissions
      without scim:manage may not.
    </Notice>
  )
}

interface RevokeProps {
  tokens: readonly Token[]
  /** Whether no token is left afterwards. */
  isLast: boolean
  onRevoked: () => void
  onClose: () => void
}

function Revoke ({ tokens, isLast, onRevoked, onClose }: RevokeProps) {
  const [first] = tokens
  const name = tokens.length === 1 ? `"${first?.name}"` : `all ${tokens.length} tokens`
  async function revoke () {
    for (const { id } of tokens) await call('delete', 'keys/{id}', { path: { id } })
    toast(tokens.length === 1 ? `The token ${name} is revoked.` : 'All tokens are revoked.')
  }
  return (
    <Confirm
      title={isLast ? 'Stop provisioning?' : `Revoke ${name}?`} action={tokens.length === 1 ? 'Revoke the token' : 'Revoke the tokens'}
      run={revoke} onClose={onClose} onDone={() => { onClose(); onRevoked() }}
    >
      <p>Requests with {tokens.length === 1 ? `the token ${name}` : 'these tokens'} are refused with 401 within a second.</p>
      <p>
        Users, groups and roles that the directory created stay as they are.
        {isLast ? ' People who leave your company keep their access here until you disable them.' : ''}
      </p>
    </Confirm>
  )
}
