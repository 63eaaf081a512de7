import { escapeHtml } from './page.js'

const WIDTH = 400
const HEIGHT = 156
const BASE = HEIGHT - 22

export interface Figure {
  label: string
  value: string
  change: string
  /** Whether the change is an improvement. */
  good: boolean
}

/** Returns a row of key figures. */
export function figures (list: readonly Figure[]): string {
  const cards = list.map(({ label, value, change, good }) => {
    return `<li><span>${escapeHtml(label)}</span><strong>${escapeHtml(value)}</strong><em class="${
      good ? 'up' : 'down'
    }">${escapeHtml(change)}</em></li>`
  })
  return `<ul class="figures">${cards.join('')}</ul>`
}

/** Returns an area chart of values from 0 to 100. */
export function areaChart (label: string, values: readonly number[], names: readonly string[]): string {
  const step = WIDTH / (values.length - 1)
  const points = values.map((value, at) => `${round(at * step)},${y(value)}`)
  return svg(label, [
    grid(),
    `<path class="area" d="M0,${BASE} L${points.join(' L')} L${WIDTH},${BASE} Z"/>`,
    `<polyline class="line" points="${points.join(' ')}"/>`,
    axis(names)
  ])
}

/** Returns a bar chart of values from 0 to 100. */
export function barChart (label: string, values: readonly number[], names: readonly string[]): string {
  const slot = WIDTH / values.length
  const bars = values.map((value, at) => {
    const top = y(value)
    return `<rect class="bar" x="${round(at * slot + slot * 0.2)}" y="${top}" width="${round(slot * 0.6)}" height="${
      round(BASE - top)
    }" rx="3"/>`
  })
  return svg(label, [grid(), ...bars, axis(names)])
}

function svg (label: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg>`
}

function grid (): string {
  return [0, 25, 50, 75, 100].map((value) =>
    `<line class="grid" x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/>`
  ).join('')
}

function axis (names: readonly string[]): string {
  const slot = WIDTH / names.length
  return names.map((name, at) => `<text x="${round(slot * (at + 0.5))}" y="${HEIGHT - 5}">${escapeHtml(name)}</text>`)
    .join('')
}

function y (value: number): number {
  return round(BASE - value / 100 * (BASE - 6))
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
