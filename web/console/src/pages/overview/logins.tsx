import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Section } from '../../ui/layout.tsx'
import { inFull } from '../../ui/number.ts'
import { canOpen } from '../index.ts'
import type { Stats } from './period.ts'

/** The outcomes that people understand, in their order; the others are refreshes without news. */
const OUTCOMES: ReadonlyArray<readonly [outcome: string, label: string, tone?: 'refused']> = [
  ['login:password', 'Signed in with a password'],
  ['login:passkey', 'Signed in with a passkey'],
  ['login:oidc', 'Signed in with OpenID Connect'],
  ['login:saml', 'Signed in with SAML'],
  ['login:sso', 'Signed in with an identity provider'],
  ['login_failed', 'Wrong email or password', 'refused'],
  ['login_locked', 'Account locked', 'refused'],
  ['mfa_failed', 'Wrong second factor', 'refused'],
  ['sso_failed', 'Refused by an identity provider', 'refused'],
  ['refresh:reused', 'Refresh token used twice', 'refused']
]

/** How users signed in to the console and the admin API, and which sign-ins failed. */
export function Logins ({ logins: { totals } }: { logins: Stats['logins'] }) {
  const rows = OUTCOMES.filter(([outcome]) => (totals[outcome] ?? 0) > 0)
  return (
    <Section
      title='Sign-ins' lead='Of users of this console and the admin API.'
      actions={canOpen('audit-log') ? <ButtonLink kind='ghost' href={at('audit-log')}>Audit log</ButtonLink> : undefined}
    >
      {rows.length === 0
        ? <p class='soft'>No sign-in in this period.</p>
        : (
          <dl class='tally'>
            {rows.map(([outcome, label, tone = '']) => (
              <div key={outcome}><dt>{label}</dt><dd class={tone}>{inFull(totals[outcome] ?? 0)}</dd></div>
            ))}
          </dl>
          )}
    </Section>
  )
}
