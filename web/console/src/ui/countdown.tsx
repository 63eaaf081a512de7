import { useEffect, useState } from 'preact/hooks'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const UNITS = [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]] as const

interface CountdownProps {
  /** When it ends, ISO-8601. */
  to: string
  /** Called once the time has passed. */
  onEnd?: () => void
}

/** The time that is left: "23 h 59 min". Shows seconds in the last hour. */
export function Countdown ({ to, onEnd }: CountdownProps) {
  const end = Date.parse(to)
  const [left, setLeft] = useState(() => Math.ceil((end - Date.now()) / 1_000))
  useEffect(() => {
    if (left <= 0) return onEnd?.()
    const timer = setInterval(() => setLeft(Math.ceil((end - Date.now()) / 1_000)), 1_000)
    return () => clearInterval(timer)
  }, [left <= 0, end])
  return <time class='countdown' dateTime={to} title={exact.format(end)}>{inUnits(Math.max(left, 0))}</time>
}

/** "6 d 23 h", "59 min 12 s": the two largest units. */
function inUnits (seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size)
  if (first === -1) return '0 s'
  return UNITS.slice(first, first + 2)
    .map(([unit, size], at) => `${Math.floor(at === 0 ? seconds / size : seconds % (UNITS[first]?.[1] ?? 1) / size)} ${unit}`)
    .join(' ')
}
