const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const STEPS: ReadonlyArray<readonly [Intl.RelativeTimeFormatUnit, number]> = [
  ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1_000]
]
const WEEK = 7 * 86_400_000

/** A time in the zone of the reader: near ones in words, and the exact one on hover. */
export function Time ({ at, never = 'Never' }: { at: string | null | undefined, never?: string }) {
  if (at === null || at === undefined) return <span class='soft'>{never}</span>
  const date = new Date(at)
  return <time dateTime={at} title={exact.format(date)}>{inWords(date)}</time>
}

/** The time of day with seconds, for rows that are a moment apart. */
export function Clock ({ at }: { at: string }) {
  const date = new Date(at)
  return <time dateTime={at} title={exact.format(date)}>{clock.format(date)}</time>
}

function inWords (date: Date): string {
  const distance = date.getTime() - Date.now()
  if (Math.abs(distance) > WEEK) return day.format(date)
  if (Math.abs(distance) < 5_000) return 'now'
  const [unit, size] = STEPS.find(([, milliseconds]) => Math.abs(distance) >= milliseconds) ?? ['second', 1_000] as const
  return relative.format(Math.round(distance / size), unit)
}
