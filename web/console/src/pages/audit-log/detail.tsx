import type { ComponentChildren } from 'preact'

import { useParameters } from '../../api/use-parameters.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Json } from '../../ui/json.tsx'
import { Facts } from '../../ui/layout.tsx'
import type { Names } from './names.ts'
import { SentenceOf, actorOf } from './sentence.tsx'
import type { Entry } from './sentence.tsx'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** All that the audit log knows of one entry. */
export function Detail ({ entry, names }: { entry: Entry, names: Names }) {
  const { hrefOf, set } = useParameters()
  const { action, user_id: userId, resource_type: type, resource_id: resource, changes } = entry
  const narrowed = (changes: Record<string, string>) => hrefOf({ entry: undefined, cursor: undefined, ...changes })
  const items: Array<readonly [string, ComponentChildren]> = [
    ['Time', <time dateTime={entry.timestamp}>{exact.format(new Date(entry.timestamp))}</time>],
    ['Action', <Narrow href={narrowed({ action })} label='Only this action'><code>{action}</code></Narrow>],
    ['Actor', userId === null
      ? actorOf(entry, names)
      : <Narrow href={narrowed({ user_id: userId })} label='Only this actor'>{actorOf(entry, names)}</Narrow>],
    ...userId === null ? [] : [['Id of the actor', <code class='wrap'>{userId}</code>] as const],
    ...type === null || resource === null
      ? []
      : [['Subject', (
        <Narrow href={narrowed({ resource_type: type, resource_id: resource })} label='Only this subject'>
          {type} <code class='wrap'>{resource}</code>
        </Narrow>
        )] as const],
    ...entry.ip_address === null ? [] : [['Address', <code>{entry.ip_address}</code>] as const],
    ...entry.user_agent === null ? [] : [['Program', <span class='wrap'>{entry.user_agent}</span>] as const]
  ]
  return (
    <Dialog title='Entry of the audit log' onClose={() => set({ entry: undefined })}>
      <p class='wrap'><SentenceOf entry={entry} names={names} />.</p>
      <Facts items={items} />
      {changes === null ? null : <Json value={changes} what='details' />}
    </Dialog>
  )
}

function Narrow ({ href, label, children }: { href: string, label: string, children: ComponentChildren }) {
  return <span class='narrowing'><span>{children}</span> <a href={href}>{label}</a></span>
}
