const whole = new Intl.NumberFormat()
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })
const ratio = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })
const change = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' })
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** "12,345", in the format of the reader. */
export function inFull (value: number): string {
  return whole.format(value)
}

/** "12.3K", for places without room. */
export function inShort (value: number): string {
  return short.format(value)
}

/** The share of a part in a whole: "12.3%"; a part that rounds to nothing is "<0.1%". */
export function share (part: number, total: number): string {
  if (total === 0) return '–'
  return part > 0 && part / total < 0.001 ? `<${ratio.format(0.001)}` : ratio.format(part / total)
}

/** How much a number differs from the one before: "+12%". */
export function changeOf (now: number, before: number): string {
  return change.format(now / before - 1)
}

/** "3.4 MB". */
export function bytes (value: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1)
  return new Intl.NumberFormat(undefined, {
    style: 'unit', unit: UNITS[power] ?? 'byte', unitDisplay: power === 0 ? 'long' : 'short', maximumFractionDigits: 1
  }).format(value / 1_000 ** power)
}
