import type { ComponentChildren } from 'preact'

export interface Tile {
  label: string
  value: string
  /** What the number is compared with, or what it means. */
  note?: ComponentChildren
  tone?: 'good' | 'bad'
}

/** Some numbers that a page starts with. */
export function Tiles ({ items }: { items: readonly Tile[] }) {
  return (
    <dl class='tiles'>
      {items.map(({ label, value, note, tone = '' }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd class='value'>{value}</dd>
          <dd class={`note ${tone}`}>{note}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The share of a part in a whole as a bar, beside its number. */
export function Meter ({ part, total }: { part: number, total: number }) {
  return (
    <span class='meter' aria-hidden='true'>
      <span style={{ width: `${total === 0 ? 0 : Math.max(part === 0 ? 0 : 2, part / total * 100)}%` }} />
    </span>
  )
}
