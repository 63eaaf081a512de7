import type { ComponentChildren } from 'preact'

import { may } from '../../api/session.ts'
import { useParameters } from '../../api/use-parameters.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Json } from '../../ui/json.tsx'
import { Facts } from '../../ui/layout.tsx'
import { PRODUCTS } from './meanings.ts'
import type { Decision } from './meanings.ts'
import { Outcome } from './requests.tsx'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** All that is known of one request, and a way to lock its user out. */
export function RequestDetail ({ decision }: { decision: Decision }) {
  const { hrefOf, set } = useParameters()
  const { product, error, user_id: user, user_email: email, resource_id: resource, details } = decision
  const isToken = decision.outcome === 'granted' && product !== 'boldbi'
  const only = (text: string | null, content: (text: string) => ComponentChildren, name: string) =>
    text === null ? [] : [[name, content(text)] as const]
  return (
    <Dialog title='Request for an embed' onClose={() => set({ entry: undefined })}>
      <Facts
        items={[
          ['Outcome', <Outcome decision={decision} />],
          ...only(error, (text) => <code>{text}</code>, 'Error code'),
          ['Product', PRODUCTS[product]],
          ['Time', <time dateTime={decision.timestamp}>{exact.format(new Date(decision.timestamp))}</time>],
          ...only(user, (text) => (
            <span class='narrowing'>
              <span>{text}</span>{' '}
              <a href={hrefOf({ entry: undefined, cursor: undefined, user_id: text })}>Only this user</a>
            </span>
          ), 'User id'),
          ...only(email, (text) => text, 'Email'),
          ...only(resource, (text) => <code class='wrap'>{text}</code>, isToken ? 'Token (digest)' : 'Resource'),
          ...only(decision.ip_address, (text) => <code>{text}</code>, 'Address'),
          ...only(decision.user_agent, (text) => <span class='wrap'>{text}</span>, 'Browser')
        ]}
      />
      {details === null || Object.keys(details as object).length === 0 ? null : <Json value={details} what='details' />}
      {user === null || !may('admin')
        ? null
        : (
          <footer class='actions'>
            <Button kind='danger' onClick={() => set({ entry: undefined, revoke: 'user', subject: user })}>
              Revoke this user…
            </Button>
          </footer>
          )}
    </Dialog>
  )
}
