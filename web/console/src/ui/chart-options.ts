import uPlot from 'uplot'

import type { ChartSeries } from './chart.tsx'
import { inShort } from './number.ts'

const HEIGHT = 240
/** Pixels that a label of the time axis needs. */
const TICK_WIDTH = 60
/** Only whole numbers are on the axis: there is no half event. */
const STEPS = Array.from({ length: 13 }, (_step, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

interface Parts {
  element: HTMLElement
  /** The colours of the series, from the bottom to the top. */
  colors: readonly string[]
  /** The label of a point on the time axis; `null`: none. */
  tickOf (at: number): string | null
  /** Called with the point under the pointer and its place in pixels; `null`: none. */
  onHover (at: number | null, left: number): void
}

/** Returns the options of a chart of stacked bars in the colours of the current theme. */
export function chartOptions ({ element, colors, tickOf, onHover }: Parts) {
  const [soft, line] = [colorOf(element, '--soft'), colorOf(element, '--line')]
  const font = `12px ${getComputedStyle(element).fontFamily}`
  const bars = uPlot.paths.bars?.({ size: [0.74, 40] })
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 20, 0, 0] as [number, number, number, number],
    legend: { show: false },
    scales: {
      x: { time: false, range: (_chart: uPlot, min: number, max: number): [number, number] => [min - 0.5, max + 0.5] },
      y: { range: (_chart: uPlot, _min: number, max: number): [number, number] => [0, Math.max(max * 1.06, 4)] }
    },
    axes: [
      {
        stroke: soft,
        font,
        size: 30,
        grid: { show: false },
        ticks: { show: false },
        splits: (chart: uPlot) => ticksOf(chart.data[0].length, element.clientWidth, tickOf),
        values: (_chart: uPlot, places: number[]) => places.map(tickOf)
      },
      {
        stroke: soft,
        font,
        size: 48,
        gap: 8,
        space: 44,
        incrs: STEPS,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_chart: uPlot, places: number[]) => places.map(inShort)
      }
    ],
    // A bar has the height of itself and those below, which are drawn over it.
    series: [{}, ...[...colors].reverse().map((color) => ({
      fill: colorOf(element, color), width: 0, points: { show: false }, ...bars === undefined ? {} : { paths: bars }
    }))],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: {
      setCursor: [(chart: uPlot) => {
        const { idx: at, left = -1 } = chart.cursor
        if (at === null || at === undefined || left < 0) onHover(null, 0)
        else onHover(at, chart.valToPos(at, 'x') + chart.over.offsetLeft)
      }]
    }
  } satisfies uPlot.Options
}

/** Returns the data of a chart: the numbers of the points, then the height of each bar, the highest first. */
export function stacked (series: readonly ChartSeries[]): uPlot.AlignedData {
  const heights: number[][] = []
  for (const { values } of series) {
    const below = heights[0]
    heights.unshift(values.map((value, at) => value + (below?.[at] ?? 0)))
  }
  return [series[0]?.values.map((_value, at) => at) ?? [], ...heights]
}

/** Returns the points with a label, so many that labels do not touch. */
function ticksOf (points: number, width: number, tickOf: (at: number) => string | null): number[] {
  const candidates = Array.from({ length: points }, (_point, at) => at).filter((at) => tickOf(at) !== null)
  const step = Math.ceil(candidates.length / Math.max(1, Math.floor((width - 50) / TICK_WIDTH)))
  // Counted from the end, because the last point is the most interesting.
  return candidates.filter((_at, index) => (candidates.length - 1 - index) % step === 0)
}

/** The current value of a colour of `tokens.css`, which depends on the theme. */
function colorOf (element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
