// Options and lines of the tables.
import type { Spread } from './figures.js'

export const digits = (value: number) => value.toFixed(value < 10 ? 1 : 0)
export const between = ({ median, low, high }: Spread) =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
export const line = (cells: readonly unknown[]) => console.log(`| ${cells.join(' | ')} |`)

/** Returns the value of an option. Throws an error if it is not a positive integer. */
export function positive (name: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a positive integer`)
  return number
}
