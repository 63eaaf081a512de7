import { at } from '../../shell/paths.ts'
import { Section } from '../../ui/layout.tsx'
import { inFull, share } from '../../ui/number.ts'
import { Table } from '../../ui/table.tsx'
import { Meter } from '../../ui/tiles.tsx'
import { canOpen } from '../index.ts'
import { KEPT_CAUSES, meaningOf, ranked } from '../refusal-codes.ts'
import type { Source } from './data.ts'
import type { Stats } from './period.ts'

interface RefusalsProps {
  totals: Stats['events']['totals']
  sources: readonly Source[]
}

/** The refused requests and events of the period by their code, with the way to them. */
export function Refusals ({ totals: { refused, refused_by_code: counts }, sources }: RefusalsProps) {
  const keeping = sources.filter(({ keep_refused: keeps }) => keeps).length
  return (
    <Section title='Refused, by reason' lead={keeping === 0 ? KEEP_NONE : undefined}>
      <Table
        caption='Refused requests and events by code' rows={ranked(counts)} keyOf={([code]) => code}
        columns={[
          { title: 'Reason', cell: ([code]) => <Reason code={code} linked={keeping > 0} /> },
          { title: 'Refused', kind: 'number', cell: ([, count]) => inFull(count) },
          {
            title: 'Share',
            kind: 'number',
            cell: ([, count]) => (
              <span class='share bad'><Meter part={count} total={refused} />{share(count, refused)}</span>
            )
          }
        ]}
      />
    </Section>
  )
}

const KEEP_NONE = 'No source keeps its refused events. To read and replay them, switch on “Keep refused events” in the ' +
  'settings of a source.'

function Reason ({ code, linked }: { code: string, linked: boolean }) {
  const href = refusedEvents(code)
  return (
    <div class='reason'>
      {linked && href !== undefined ? <a class='row-link' href={href}><code>{code}</code></a> : <code>{code}</code>}
      <p class='soft'>{meaningOf(code)}</p>
    </div>
  )
}

/** Returns the URL of the kept events that were refused with a code; `undefined` if there are none to show. */
export function refusedEvents (code: string): string | undefined {
  if (!(code in KEPT_CAUSES) || !canOpen('refused-events')) return undefined
  return `${at('refused-events')}?${new URLSearchParams({ code }).toString()}`
}
