import 'uplot/dist/uPlot.min.css'

import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'

import { theme } from '../shell/theme.ts'
import { Button } from './button.tsx'
import { chartOptions, stacked } from './chart-options.ts'
import { inFull } from './number.ts'
import { Table } from './table.tsx'
import type { Column } from './table.tsx'

export interface ChartSeries {
  label: string
  /** A colour of `tokens.css`. */
  color: `--${string}`
  values: readonly number[]
}

export interface ChartPoint {
  /** The whole time, for the tooltip and the table. */
  label: string
  /** The label on the axis; `null` for none. */
  tick: string | null
}

interface ChartProps {
  /** What the chart shows, in a sentence with its most important numbers. */
  label: string
  points: readonly ChartPoint[]
  /** From the bottom to the top of each bar. */
  series: readonly ChartSeries[]
}

/** Stacked bars over time, with a tooltip by mouse and by arrow keys, and the same numbers as a table. */
export function Chart (props: ChartProps) {
  const { points, series } = props
  const [asTable, setAsTable] = useState(false)
  const id = useId()
  return (
    <figure class='chart'>
      <div class='line'>
        <ul class='legend' aria-label='Series'>
          {series.map(({ label, color }) => (
            <li key={label}><i style={{ background: `var(${color})` }} />{label}</li>
          ))}
        </ul>
        <Button kind='ghost' aria-pressed={asTable} aria-controls={id} onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as chart' : 'Show as table'}
        </Button>
      </div>
      <div id={id}>
        {asTable
          ? (
            <div class='chart-table' role='region' aria-label='Numbers of the chart' tabIndex={0}>
              <Table
                caption={props.label} columns={columnsOf(series)} keyOf={({ at }) => String(at)}
                rows={points.map(({ label }, at) => ({ label, at }))}
              />
            </div>
            )
          : <Canvas {...props} />}
      </div>
    </figure>
  )
}

function columnsOf (series: readonly ChartSeries[]): Array<Column<{ label: string, at: number }>> {
  return [
    { title: 'Time', cell: ({ label }) => label },
    ...series.map(({ label, values }): Column<{ label: string, at: number }> =>
      ({ title: label, kind: 'number', cell: ({ at }) => inFull(values[at] ?? 0) }))
  ]
}

function Canvas ({ label, points, series }: ChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  const [hovered, setHovered] = useState<{ at: number, left: number, width: number }>()
  const look = useLook()
  const latest = useRef({ points, series })
  latest.current = { points, series }

  useLayoutEffect(() => {
    const element = host.current
    if (element === null) return
    const options = chartOptions({
      element,
      colors: series.map(({ color }) => color),
      tickOf: (at) => latest.current.points[at]?.tick ?? null,
      onHover: (at, left) => setHovered(at === null ? undefined : { at, left, width: element.clientWidth })
    })
    const drawn = new uPlot(options, stacked(latest.current.series), element)
    chart.current = drawn
    const resizing = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: options.height }))
    resizing.observe(element)
    return () => {
      resizing.disconnect()
      drawn.destroy()
    }
  }, [look, series.map(({ color }) => color).join(' ')])

  useLayoutEffect(() => chart.current?.setData(stacked(series)), [series])

  function onKeyDown (event: KeyboardEvent) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const drawn = chart.current
    if (drawn === undefined || (step === undefined && event.key !== 'Escape')) return
    event.preventDefault()
    const at = (hovered?.at ?? (step === 1 ? -1 : points.length)) + (step ?? 0)
    const left = step === undefined ? -10 : drawn.valToPos(Math.min(Math.max(at, 0), points.length - 1), 'x')
    drawn.setCursor({ left, top: 0 })
  }

  return (
    <div class='chart-body' onKeyDown={onKeyDown}>
      <div ref={host} class='chart-canvas' role='img' aria-label={label} tabIndex={0} />
      {hovered === undefined ? null : <Tooltip {...hovered} points={points} series={series} />}
    </div>
  )
}

interface TooltipProps extends Pick<ChartProps, 'points' | 'series'> {
  at: number
  left: number
  width: number
}

/** Beside the hovered bar, on the side that has room. */
function Tooltip ({ at, left, width, points, series }: TooltipProps) {
  const side = left < width / 2 ? { left: `${left + 14}px` } : { right: `${width - left + 14}px` }
  return (
    <div class='tooltip' role='status' style={side}>
      <strong>{points[at]?.label}</strong>
      <dl>
        {series.map(({ label, color, values }) => (
          <div key={label}>
            <dt><i style={{ background: `var(${color})` }} />{label}</dt><dd>{inFull(values[at] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

/** Changes when the theme does, because a canvas keeps the colours with which it was drawn. */
function useLook (): number {
  const [look, setLook] = useState(0)
  useEffect(() => {
    const update = () => setLook((count) => count + 1)
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', update)
    const unsubscribe = theme.subscribe(update)
    return () => {
      system.removeEventListener('change', update)
      unsubscribe()
    }
  }, [])
  return look
}
