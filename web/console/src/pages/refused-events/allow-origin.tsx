import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import type { Source } from '../../api/use-sources.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { acceptsOrigin, domainOf } from '../sources/domain.ts'
import type { RefusedEvent } from './index.tsx'

interface AllowProps {
  event: RefusedEvent
  source: Source
  /** Called when the domain is allowed. */
  onChange: () => void
}

/** Offers to add the domain of the page to its source. */
export function AllowOrigin ({ event: { origin }, source, onChange }: AllowProps) {
  const [asking, setAsking] = useState(false)
  const domain = origin === null ? null : domainOf(origin)
  if (origin === null || domain === null) {
    return (
      <Notice>
        {origin === 'null'
          ? 'The page has the origin "null", as a sandboxed frame has. An admin can let the source accept it in its settings.'
          : 'No domain of a source can allow this origin.'}
      </Notice>
    )
  }
  if (acceptsOrigin(source, origin)) {
    const query = new URLSearchParams({ source_id: source.id, code: 'ORIGIN_NOT_ALLOWED', origin, replayed: 'false' })
    return (
      <Notice kind='good'>
        {domain} may send events now. Replay this event, or{' '}
        <a href={`${at('refused-events')}?${query.toString()}`}>see all refused events of this origin</a>.
      </Notice>
    )
  }
  if (!may('editor')) return <p class='hint'>An editor can allow {domain} for the source.</p>

  async function allow (added: string) {
    // The present domains, because the page may have been open for long.
    const { domains } = await call('get', 'sources/{id}', { path: { id: source.id } })
    const all = [...new Set([...domains, added])]
    await call('patch', 'sources/{id}', { path: { id: source.id }, body: { domains: all } })
    toast(`${added} may send events now.`)
  }
  return (
    <div>
      <Button kind='primary' icon='plus' onClick={() => setAsking(true)}>Allow {domain} for this source</Button>
      {asking
        ? (
          <Confirm
            title={`Allow ${domain}?`} action='Allow the domain' kind='primary' run={() => allow(domain)}
            onClose={() => setAsking(false)} onDone={() => { setAsking(false); onChange() }}
          >
            <p>
              Pages of <code>{origin}</code> may then send events to the source "{source.name}" with its pipeline key.
            </p>
            <p>Only allow a site that is yours. Refused events stay refused until you replay them.</p>
          </Confirm>
          )
        : null}
    </div>
  )
}
