import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import type { Member } from './members.tsx'
import { RoleField, titleOf } from './roles.tsx'

interface RoleChangeProps {
  member: Member
  onChanged: () => void
}

/** Changes the role of another member. */
export function RoleChange ({ member: { id, email, role: current }, onChanged }: RoleChangeProps) {
  const [role, setRole] = useState<Role>(current)
  const form = useForm(async () => {
    await call('patch', 'users/{id}', { path: { id }, body: { role } })
    toast(`${email} now has the role ${titleOf(role).toLowerCase()}.`)
    onChanged()
  })
  return (
    <Section title='Role' lead='A change takes effect within a second, also where the person is signed in.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack slim'>
        <RoleField form={form} value={role} onChoose={setRole} label='Role in this organisation' />
        <div class='actions'>
          <Button kind='primary' type='submit' busy={form.busy} disabled={role === current}>Change the role</Button>
        </div>
      </form>
    </Section>
  )
}
