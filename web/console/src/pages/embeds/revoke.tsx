import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import type { Values } from '../../api/use-form.ts'
import { useParameters } from '../../api/use-parameters.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { canOpen } from '../index.ts'
import { changes } from './changed.ts'
import { KINDS } from './meanings.ts'
import type { Kind } from './meanings.ts'
import { Reach, inFull } from './reach.tsx'

interface Plan { kind: Kind, subject: string, before: Date | null }

const HOUR = 3_600_000
const CHOICES: ReadonlyArray<readonly [string, string]> = [
  [String(24 * HOUR), 'Block for a day'],
  [String(HOUR), 'Block for an hour'],
  [String(7 * 24 * HOUR), 'Block for 7 days'],
  [String(365 * 24 * HOUR), 'Block for a year'],
  ['until', 'Block until a time…'],
  ['now', 'End what was issued until now; a new sign-in is accepted']
]
const MAX_AHEAD = 10 * 365 * 24 * HOUR

/** The form that revokes a user, a tenant or a dashboard, and the question before it is done. */
export function Revoke () {
  const { query, set } = useParameters()
  const { path, route } = useLocation()
  const [kind, setKind] = useState<Kind>(kindOf(query['revoke']))
  const [length, setLength] = useState(CHOICES[0]?.[0] ?? 'now')
  const [plan, setPlan] = useState<Plan>()
  const form = useForm(async (values) => setPlan(planOf(values)), mistakesIn)
  const close = () => set({ revoke: undefined, subject: undefined })
  const { title, hint } = KINDS[kind]

  async function revoke ({ kind, subject, before }: Plan) {
    const reply = await call('post', 'embeds/revoke', {
      body: { [KINDS[kind].field]: subject, ...before === null ? {} : { before: before.toISOString() } }
    })
    changes.set(changes.get() + 1)
    const until = Date.parse(reply.before) > Date.now() + 60_000 ? ` until ${inFull(reply.before)}` : ''
    toast(`The embeds of the ${kind} "${subject}" are revoked${until}.`)
  }

  return (
    <Dialog title='Lock out of embeds' onClose={close}>
      <p class='soft'>
        Refuses dashboards and charts in your pages.
        {canOpen('users') ? <> An administrator of this console is disabled under <a href={at('users')}>Users</a>.</> : null}
      </p>
      <form {...form.props} class='stack'>
        <SelectField
          name='kind' label='What to revoke' form={form} value={kind}
          choices={Object.entries(KINDS).map(([value, { title }]) => [value, title] as const)}
          onChange={({ currentTarget }) => setKind(kindOf(currentTarget.value))}
        />
        <TextField
          name='subject' label={title} hint={hint} form={form} required maxLength={256} autofocus autocomplete='off'
          spellcheck={false} defaultValue={query['subject'] ?? ''}
        />
        <SelectField
          name='length' label='For how long' form={form} choices={CHOICES} value={length}
          onChange={({ currentTarget }) => setLength(currentTarget.value)}
        />
        {length === 'until' ? <TextField name='before' label='Until' type='datetime-local' form={form} required /> : null}
        <footer class='actions'>
          <Button onClick={close}>Cancel</Button>
          <Button kind='primary' type='submit'>Continue</Button>
        </footer>
      </form>
      {plan === undefined
        ? null
        : (
          <Confirm
            title={`Revoke the ${plan.kind} "${plan.subject}"?`} action={`Revoke the ${plan.kind} now`} run={() => revoke(plan)}
            onClose={() => setPlan(undefined)}
            onDone={() => route(`${path}?tab=revocations`)}
          >
            <Reach kind={plan.kind} before={plan.before} />
          </Confirm>
          )}
    </Dialog>
  )
}

function kindOf (text: string | undefined): Kind {
  return text === 'tenant' || text === 'dashboard' ? text : 'user'
}

function planOf ({ kind, subject = '', length = 'now', before = '' }: Values): Plan {
  const times: Readonly<Record<string, Date | null>> = { now: null, until: new Date(before) }
  const time = length in times ? times[length] ?? null : new Date(Date.now() + Number(length))
  return { kind: kindOf(kind), subject: subject.trim(), before: time }
}

function mistakesIn (values: Values): Record<string, string | undefined> {
  const { subject, before } = planOf(values)
  const ahead = before === null ? 1 : before.getTime() - Date.now()
  return {
    subject: subject === '' ? 'must not be empty' : /[\p{Cc}\p{Cs}]/u.test(subject) ? 'must not have control characters' : undefined,
    before: ahead > 0 && ahead < MAX_AHEAD ? undefined : 'must be in the future, at most 10 years ahead'
  }
}
