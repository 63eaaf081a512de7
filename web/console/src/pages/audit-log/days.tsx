import { useParameters } from '../../api/use-parameters.ts'
import { Clock } from '../../ui/time.tsx'
import type { Names } from './names.ts'
import { SentenceOf } from './sentence.tsx'
import type { Entry } from './sentence.tsx'

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

/** Entries of the audit log under the day of each, in the zone of the reader. */
export function Days ({ entries, names }: { entries: readonly Entry[], names: Names }) {
  return (
    <div class='days'>
      {byDay(entries).map(({ day, of }) => (
        <section key={day}>
          <h2>{day}</h2>
          <ol>{of.map((entry) => <Row key={entry.id} entry={entry} names={names} />)}</ol>
        </section>
      ))}
    </div>
  )
}

function Row ({ entry, names }: { entry: Entry, names: Names }) {
  const { hrefOf } = useParameters()
  const { id, action, ip_address: address, timestamp } = entry
  return (
    <li class='audit-row'>
      <Clock at={timestamp} />
      <div>
        <p><SentenceOf entry={entry} names={names} /></p>
        <p class='audit-facts'>
          <code>{action}</code>{address === null ? null : <span>{address}</span>}<Repeats entry={entry} />
        </p>
      </div>
      <a class='button ghost' href={hrefOf({ entry: id })} aria-label={`Details of ${action}`}>Details</a>
    </li>
  )
}

function Repeats ({ entry: { changes } }: { entry: Entry }) {
  const repeats = (changes as Record<string, unknown> | null)?.['repeats']
  return typeof repeats === 'number' ? <span>{repeats} more within the minute</span> : null
}

function byDay (entries: readonly Entry[]): Array<{ day: string, of: Entry[] }> {
  const days = new Map<string, Entry[]>()
  for (const entry of entries) {
    const day = nameOf(new Date(entry.timestamp))
    days.set(day, [...days.get(day) ?? [], entry])
  }
  return [...days].map(([day, of]) => ({ day, of }))
}

/** "Today, Saturday, November 28, 2026". */
function nameOf (time: Date): string {
  const ago = Math.round((midnight(new Date()) - midnight(time)) / 86_400_000)
  const name = date.format(time)
  if (ago !== 0 && ago !== 1) return name
  const word = relative.format(-ago, 'day')
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}, ${name}`
}

function midnight (time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime()
}
