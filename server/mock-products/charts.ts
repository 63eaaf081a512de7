import { createHash } from 'node:crypto'

import { escapeHtml } from './page.js'

const WIDTH = 520
const HEIGHT = 190
const LEFT = 34
const TOP = 8
const BASE = HEIGHT - 20

export interface Figure {
  label: string
  value: string
  change: string
  /** Whether the change is an improvement. */
  good: boolean
}

/** Returns numbers from 0 to 1 that depend on a name alone, so that each user has their own data. */
export function numbersOf (name: string): () => number {
  let block = createHash('sha256').update(name).digest()
  let at = 0
  return () => {
    if (at + 4 > block.length) {
      block = createHash('sha256').update(block).digest()
      at = 0
    }
    at += 4
    return block.readUInt32BE(at - 4) / 2 ** 32
  }
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

/** Returns an area chart of this year over a dashed line of the previous year. */
export function areaChart (
  label: string,
  values: readonly number[],
  previous: readonly number[],
  names: readonly string[]
): string {
  const { y, grid } = scale(Math.max(...values, ...previous))
  const step = (WIDTH - LEFT) / (values.length - 1)
  const points = (list: readonly number[]): string =>
    list.map((value, at) => `${round(LEFT + at * step)},${y(value)}`).join(' ')
  const [last, end] = [values.at(-1) ?? 0, values.length - 1]
  return svg(label, [
    grid,
    `<polygon class="area" points="${LEFT},${BASE} ${points(values)} ${WIDTH},${BASE}"/>`,
    `<polyline class="line previous" points="${points(previous)}"/>`,
    `<polyline class="line" points="${points(values)}"/>`,
    `<circle class="dot" cx="${round(LEFT + end * step - 4)}" cy="${y(last)}" r="3.5"/>`,
    ...names.map((name, at) => text(LEFT + at * step, HEIGHT - 4, name, at === 0 ? 'start' : at === end ? 'end' : ''))
  ])
}

/** Returns stacked bars: the first part of each value at the bottom. */
export function stackedBars (
  label: string,
  values: ReadonlyArray<readonly [first: number, second: number]>,
  names: readonly string[]
): string {
  const { y, grid } = scale(Math.max(...values.map(([first, second]) => first + second)))
  const slot = (WIDTH - LEFT) / values.length
  const bars = values.flatMap(([first, second], at) => {
    const [x, width] = [round(LEFT + slot * (at + 0.22)), round(slot * 0.56)]
    return [
      `<rect class="bar" x="${x}" y="${y(first)}" width="${width}" height="${round(BASE - y(first))}" rx="2"/>`,
      `<rect class="bar second" x="${x}" y="${y(first + second)}" width="${width}" height="${
        round(y(first) - y(first + second) - 1)
      }" rx="2"/>`
    ]
  })
  return svg(label, [grid, ...bars, ...names.map((name, at) => text(LEFT + slot * (at + 0.5), HEIGHT - 4, name))])
}

/** Returns horizontal bars with names and values, the largest first. */
export function ranking (label: string, rows: ReadonlyArray<readonly [name: string, value: number]>): string {
  const sorted = rows.toSorted(([, first], [, second]) => second - first)
  const largest = sorted[0]?.[1] ?? 1
  const total = sorted.reduce((sum, [, value]) => sum + value, 0)
  const items = sorted.map(([name, value]) => {
    return `<li><span>${escapeHtml(name)}</span><meter min="0" max="${largest}" value="${value}" aria-label="${
      escapeHtml(name)
    }"></meter><b>${Math.round(value / total * 100)} %</b></li>`
  })
  return `<h2>${escapeHtml(label)}</h2><ol class="ranking">${items.join('')}</ol>`
}

/** Returns the vertical scale of a chart with four even steps, and its lines and labels. */
function scale (largest: number): { y (value: number): number, grid: string } {
  const magnitude = 10 ** Math.floor(Math.log10(largest / 4))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((size) => size * 4 >= largest) ?? largest
  const y = (value: number): number => round(BASE - value / (step * 4) * (BASE - TOP))
  const lines = [0, 1, 2, 3, 4].map((times) => {
    const at = y(times * step)
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${at}" y2="${at}"/>` +
      text(LEFT - 6, at + 4, shortNumber(times * step), 'end')
  })
  return { y, grid: lines.join('') }
}

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function shortNumber (value: number): string {
  return SHORT.format(value)
}

function text (x: number, y: number, content: string, anchor = ''): string {
  const place = anchor === '' ? '' : ` class="${anchor}"`
  return `<text x="${round(x)}" y="${round(y)}"${place}>${escapeHtml(content)}</text>`
}

function svg (label: string, parts: readonly string[]): string {
  return `<h2>${escapeHtml(label)}</h2><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${
    escapeHtml(label)
  }">${parts.join('')}</svg>`
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
