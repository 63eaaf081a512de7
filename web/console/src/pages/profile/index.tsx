import { has } from '../../api/features.ts'
import { me } from '../../api/session.ts'
import { useStore } from '../../api/store.ts'
import { Facts, Page, Section } from '../../ui/layout.tsx'
import { EmailChange } from './email.tsx'
import { Factors } from './factors.tsx'
import { Password } from './password.tsx'
import { Sessions } from './sessions.tsx'

/** The account of the signed-in user. */
export default function ProfilePage () {
  const user = useStore(me)
  if (user === null || user === undefined) return null
  return (
    <Page title='Profile'>
      <Section title='Account'>
        <Facts items={[['Email', user.email], ['Organisation', user.org_name], ['Role', user.role]]} />
        {has('users') ? <EmailChange /> : null}
      </Section>
      <Password email={user.email} />
      {has('mfa') ? <Factors /> : null}
      <Sessions />
    </Page>
  )
}
