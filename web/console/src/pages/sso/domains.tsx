import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import type { Query } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Badge, Facts, Section } from '../../ui/layout.tsx'
import { Empty, ErrorNotice, Loading } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { isProved } from './types.ts'
import type { Domain } from './types.ts'

type Task = { kind: 'add' } | { kind: 'require' | 'allow' | 'remove', domain: Domain }

/** The email domains of the organisation. The open TXT record is in the URL, because its proof may take a day. */
export function Domains ({ query: { data, error, reload } }: { query: Query<Domain[]> }) {
  const { route, query: { domain: openId, ...others } } = useLocation()
  const [task, setTask] = useState<Task>()
  const open = data?.find(({ id }) => id === openId)
  const show = (domain?: Domain) => {
    const search = new URLSearchParams({ ...others, ...domain === undefined ? {} : { domain: domain.id } }).toString()
    route(search === '' ? at('sso') : `${at('sso')}?${search}`)
  }
  const close = () => setTask(undefined)
  const done = () => {
    close()
    reload()
  }
  const add = may('owner') ? <Button icon='plus' onClick={() => setTask({ kind: 'add' })}>Add a domain</Button> : undefined
  return (
    <Section
      title='Email domains' lead='A provider may sign in, and a directory may create, only people with an email of a proved domain.'
      actions={data === undefined || data.length === 0 ? undefined : add}
    >
      {data === undefined ? error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} /> : null}
      {data !== undefined && data.length === 0
        ? <Empty icon='gate' title='No email domain yet' action={add}>Add the domain of your emails, and prove it by a DNS record.</Empty>
        : null}
      {data === undefined || data.length === 0
        ? null
        : (
          <Table
            caption='Email domains' rows={data} keyOf={({ id }) => id}
            columns={[...COLUMNS, { title: 'Actions', kind: 'actions', cell: (domain) => <Actions {...{ domain, show, setTask }} /> }]}
          />
          )}
      {open === undefined ? null : <Proof domain={open} onProved={reload} onClose={() => show()} />}
      {task?.kind === 'add'
        ? <AddDomain onClose={close} onAdded={(domain) => { done(); show(domain) }} />
        : null}
      {task?.kind === 'require' ? <Require domain={task.domain} onClose={close} onDone={done} /> : null}
      {task?.kind === 'allow' ? <Allow domain={task.domain} onClose={close} onDone={done} /> : null}
      {task?.kind === 'remove' ? <Remove domain={task.domain} onClose={close} onDone={done} /> : null}
    </Section>
  )
}

const COLUMNS: ReadonlyArray<Column<Domain>> = [
  { title: 'Domain', cell: ({ domain }) => <strong>{domain}</strong> },
  {
    title: 'State',
    cell: (domain) => isProved(domain) ? <Badge tone='good'>Proved</Badge> : <Badge tone='warning'>Not proved</Badge>
  },
  {
    title: 'Passwords',
    cell: ({ sso }) => sso === 'required' ? 'Owners only' : <span class='soft'>Allowed</span>
  },
  { title: 'Added', cell: ({ created_at: created }) => <Time at={created} /> }
]

interface ActionsProps {
  domain: Domain
  show: (domain: Domain) => void
  setTask: (task: Task) => void
}

function Actions ({ domain, show, setTask }: ActionsProps) {
  const isOwner = may('owner')
  return (
    <span class='badges'>
      {isProved(domain) ? null : <Button onClick={() => show(domain)}>{isOwner ? 'Prove…' : 'Show the record'}</Button>}
      {isOwner && isProved(domain) && domain.sso === 'optional'
        ? <Button kind='ghost' onClick={() => setTask({ kind: 'require', domain })}>Require single sign-on…</Button>
        : null}
      {isOwner && domain.sso === 'required'
        ? <Button kind='ghost' onClick={() => setTask({ kind: 'allow', domain })}>Allow passwords…</Button>
        : null}
      {isOwner ? <Button kind='ghost' onClick={() => setTask({ kind: 'remove', domain })}>Remove…</Button> : null}
    </span>
  )
}

function AddDomain ({ onClose, onAdded }: { onClose: () => void, onAdded: (domain: Domain) => void }) {
  const form = useForm(async ({ domain = '' }) => onAdded(await call('post', 'sso-domains', { body: { domain: domain.trim() } })))
  return (
    <Dialog title='Add an email domain' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='domain' label='Domain' required maxLength={253} form={form} autofocus placeholder='example.com' inputMode='url'
          hint='What follows the @ of your emails. Subdomains count as other domains.' autocapitalize='off' spellcheck={false}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Add the domain</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function Proof ({ domain, onProved, onClose }: { domain: Domain, onProved: () => void, onClose: () => void }) {
  const form = useForm(async () => {
    await call('post', 'sso-domains/{id}/verify', { path: { id: domain.id } })
    toast(`The domain ${domain.domain} is proved.`)
    onProved()
    onClose()
  })
  const isDone = isProved(domain)
  return (
    <Dialog title={`Prove ${domain.domain}`} onClose={onClose}>
      <p class='soft'>
        {isDone
          ? 'The domain is proved. The record may be removed.'
          : 'Create this record at the DNS provider of the domain. It can take an hour until it is visible.'}
      </p>
      <Facts
        items={[
          ['Type', 'TXT'],
          ['Name', <Copyable value={domain.txt_name} what='name of the record' />],
          ['Value', <Copyable value={domain.txt_value} what='value of the record' />]
        ]}
      />
      <ErrorNotice error={form.error} />
      <form {...form.props}>
        <footer class='actions'>
          <Button onClick={onClose}>Close</Button>
          {isDone || !may('owner') ? null : <Button kind='primary' type='submit' busy={form.busy}>Check now</Button>}
        </footer>
      </form>
    </Dialog>
  )
}

interface QuestionProps {
  domain: Domain
  onClose: () => void
  onDone: () => void
}

function Require ({ domain: { id, domain }, ...ends }: QuestionProps) {
  const run = async () => {
    await call('patch', 'sso-domains/{id}', { path: { id }, body: { sso: 'required' } })
    toast(`Single sign-on is required for ${domain}.`)
  }
  return (
    <Confirm title={`Require single sign-on for ${domain}?`} action='Require single sign-on' run={run} {...ends}>
      <p>Passwords and passkeys of people with an email of {domain} no longer sign in. Open sessions go on.</p>
      <p>Owners keep their password, so that a broken provider does not lock everybody out.</p>
      <p>Try the sign-in of your provider first.</p>
    </Confirm>
  )
}

function Allow ({ domain: { id, domain }, ...ends }: QuestionProps) {
  const run = async () => {
    await call('patch', 'sso-domains/{id}', { path: { id }, body: { sso: 'optional' } })
    toast(`Passwords of ${domain} work again.`)
  }
  return (
    <Confirm title={`Allow passwords for ${domain}?`} action='Allow passwords' run={run} {...ends}>
      <p>
        Everybody with an email of {domain} who has a password here can sign in with it again, without the rules of your
        identity provider.
      </p>
    </Confirm>
  )
}

function Remove ({ domain, ...ends }: QuestionProps) {
  const { id, domain: name } = domain
  const run = async () => {
    await call('delete', 'sso-domains/{id}', { path: { id } })
    toast(`The domain ${name} is removed.`)
  }
  return (
    <Confirm title={`Remove ${name}?`} action='Remove the domain' run={run} {...ends}>
      {isProved(domain)
        ? (
          <>
            <p>
              People with an email of {name} can no longer sign in through your identity providers, and your directory
              can no longer create or change them.
            </p>
            <p>
              Their accounts stay.{domain.sso === 'required' ? ' Passwords work again, for those who have one.' : ''}
            </p>
          </>
          )
        : <p>The domain has no effect yet. To add it again, you need a new DNS record.</p>}
    </Confirm>
  )
}
