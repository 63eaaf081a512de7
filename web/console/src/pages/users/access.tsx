import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Section } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { LockOut } from './lock-out.tsx'
import type { Member } from './members.tsx'

interface AccessProps {
  member: Member
  onChanged: () => void
  onRemoved: () => void
}

type Task = 'lock' | 'enable' | 'sessions' | 'remove'

/** What ends the access of another member: now, for good, or only where the person is signed in. */
export function Access ({ member, onChanged, onRemoved }: AccessProps) {
  const { email, disabled } = member
  const [task, setTask] = useState<Task>()
  const close = () => setTask(undefined)
  const buttons: ReadonlyArray<readonly [Task, string, string]> = disabled
    ? [['enable', 'Enable the user…', 'The person can sign in again with the same role, password and second factors.']]
    : [
        ['lock', 'Lock the user out now…', 'Ends all sessions and refuses new sign-ins until you enable the user again.'],
        ['sessions', 'End all sessions…', 'The person is signed out everywhere, and can sign in again.']
      ]
  return (
    <Section title='Access'>
      <ul class='choices'>
        {[...buttons, ['remove', 'Remove from the organisation…', 'Ends the membership for good.'] as const]
          .map(([name, label, effect]) => (
            <li key={name}>
              <span class='soft'>{effect}</span>
              <Button kind={name === 'enable' ? 'secondary' : 'danger'} onClick={() => setTask(name)}>{label}</Button>
            </li>
          ))}
      </ul>
      {task === 'lock' ? <LockOut member={member} onClose={close} onChanged={onChanged} /> : null}
      {task === 'enable'
        ? (
          <Confirm
            title={`Enable ${email}?`} action='Enable the user' kind='primary'
            run={() => enable(member, onChanged)} onClose={close}
          >
            <p>The person can sign in again, with the same role, password and second factors.</p>
          </Confirm>
          )
        : null}
      {task === 'sessions'
        ? (
          <Confirm
            title='End all sessions?' action='End all sessions'
            run={() => endSessions(member, onChanged)} onClose={close}
          >
            <p>
              {email} is signed out of this organisation everywhere, within a second, and can sign in again. Somebody
              who knows the password can do so too: if you are not sure, lock the user out.
            </p>
            <p>The server disables and enables the membership for this. The audit log shows both.</p>
          </Confirm>
          )
        : null}
      {task === 'remove'
        ? (
          <Confirm
            title={`Remove ${email}?`} action='Remove the user' run={() => remove(member)} onClose={close} onDone={onRemoved}
          >
            <p>
              All sessions in this organisation end at once, and the person is not a member any more. If this is the
              only organisation of the person, the account is deleted with its password and second factors.
            </p>
            <p>
              Sources, and API keys that the person created, stay and keep working. Invitations that the person sent
              are no longer valid.
            </p>
          </Confirm>
          )
        : null}
    </Section>
  )
}

async function enable ({ id, email }: Member, onChanged: () => void) {
  await call('patch', 'users/{id}', { path: { id }, body: { disabled: false } })
  toast(`${email} can sign in again.`)
  onChanged()
}

async function endSessions ({ id, email }: Member, onChanged: () => void) {
  try {
    await call('patch', 'users/{id}', { path: { id }, body: { disabled: true } })
    await call('patch', 'users/{id}', { path: { id }, body: { disabled: false } })
    toast(`All sessions of ${email} have ended.`)
  } finally {
    onChanged()
  }
}

async function remove ({ id, email }: Member) {
  await call('delete', 'users/{id}', { path: { id } })
  toast(`${email} is not a member any more.`)
}
