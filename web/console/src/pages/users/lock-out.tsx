import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { Confirm } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import type { Member } from './members.tsx'

interface LockOutProps {
  member: Member
  onClose: () => void
  onChanged: () => void
}

const NO_MISTAKES = { mistakeOf: () => undefined }

/** Disables a member and, on request, revokes the embeds of a user of the embedding site. */
export function LockOut ({ member: { id, email }, onClose, onChanged }: LockOutProps) {
  const [embedUser, setEmbedUser] = useState('')

  async function lock () {
    try {
      await call('patch', 'users/{id}', { path: { id }, body: { disabled: true } })
      if (embedUser.trim() !== '') await call('post', 'embeds/revoke', { body: { user_id: embedUser.trim() } })
      toast(`${email} is locked out.`)
    } finally {
      onChanged()
    }
  }

  return (
    <Confirm title={`Lock ${email} out now?`} action='Lock the user out' run={lock} onClose={onClose}>
      <ul class='bullets'>
        <li>All sessions of the person in this organisation end within a second.</li>
        <li>Every new sign-in to it is refused: by password, passkey and identity provider.</li>
        <li>Invitations that the person sent are not valid. API keys that the person created keep working.</li>
        <li>Other organisations of the person are not affected.</li>
      </ul>
      {has('sources')
        ? (
          <TextField
            name='embed_user' label='User id at your site, to revoke embeds (optional)' form={NO_MISTAKES} maxLength={256}
            autocomplete='off' value={embedUser} onInput={({ currentTarget }) => setEmbedUser(currentTarget.value)}
            hint={'Embeds know the users of your site, not this account. With an id, everything that was issued to that ' +
              'user until now gets no new token. A token that is in use stays valid to its end.'}
          />
          )
        : null}
    </Confirm>
  )
}
