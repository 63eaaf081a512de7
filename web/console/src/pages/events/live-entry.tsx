import { useId } from 'preact/hooks'

import type { Source } from '../../api/use-sources.ts'
import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Json } from '../../ui/json.tsx'
import { Badge } from '../../ui/layout.tsx'
import { Clock } from '../../ui/time.tsx'
import type { LiveRow, Refusal } from './live-rows.ts'
import { text, titleOf, userOf } from './stored-event.ts'

interface EntryProps {
  row: LiveRow
  sources: ReadonlyMap<string, Source> | undefined
  isOpen: boolean
  onToggle: () => void
}

/** An event of the live view; opened, it shows all that was sent. */
export function LiveEntry ({ row, sources, isOpen, onToggle }: EntryProps) {
  const id = useId()
  const { time, source, type, title, detail } = viewOf(row)
  return (
    <li class={row.outcome}>
      <button type='button' class='live-row' aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={onToggle}>
        <Icon name='chevron' />
        <span class='live-time'><Clock at={time} /></span>
        <span class='live-outcome'>
          {row.outcome === 'accepted' ? <Badge tone='good'>Accepted</Badge> : <Badge tone='bad'>Refused</Badge>}
        </span>
        <span class='live-type'>{type}</span>
        <span class='live-title'>{title}</span>
        <span class='live-detail'>{detail}</span>
        <span class='live-source'>{sources?.get(source)?.name ?? source}</span>
      </button>
      {isOpen ? <div id={id} class='live-open'><Opened row={row} /></div> : null}
    </li>
  )
}

function viewOf (row: LiveRow) {
  if (row.outcome === 'refused') {
    const { refusal } = row
    return {
      time: refusal.receivedAt,
      source: refusal.sourceId,
      type: refusal.type ?? '–',
      title: refusal.code,
      detail: refusal.origin ?? refusal.message
    }
  }
  const { event } = row
  return {
    time: text(event, 'receivedAt') ?? '',
    source: text(event, 'sourceId') ?? '',
    type: text(event, 'type') ?? '–',
    title: titleOf(event),
    detail: userOf(event) ?? ''
  }
}

function Opened ({ row }: { row: LiveRow }) {
  if (row.outcome === 'accepted') {
    const id = text(row.event, 'id')
    return (
      <div class='stack'>
        <Json value={row.event} what='event' />
        {id === undefined ? null : <div><ButtonLink href={at('events/:id', { id })}>Open the event</ButtonLink></div>}
      </div>
    )
  }
  return (
    <div class='stack'>
      <p>{row.refusal.message}</p>
      <Json value={row.refusal} what='refusal' />
      <div><ButtonLink href={keptOf(row.refusal)}>Find it in the refused events</ButtonLink></div>
    </div>
  )
}

/** The kept events with the same cause. */
function keptOf ({ sourceId, code, origin }: Refusal): string {
  const query = new URLSearchParams({ source_id: sourceId, code, ...origin === null ? {} : { origin } })
  return `${at('refused-events')}?${query.toString()}`
}
