import { useLayoutEffect, useRef, useState } from 'preact/hooks'

import { ApiError } from '../../api/errors.ts'
import { followEvents } from '../../api/live-events.ts'
import type { LiveMessage } from '../../api/live-events.ts'
import { SignedOut } from '../../api/prompts.ts'
import { NO_ROWS, add, pause, proceed } from './live-rows.ts'
import type { LiveRow, LiveRows, Refusal } from './live-rows.ts'
import type { StoredEvent } from './stored-event.ts'

interface Stats {
  since: string
  sources: ReadonlyArray<{ accepted: number, refused: Readonly<Record<string, number>> }>
}

export interface Live {
  rows: LiveRows
  /** `waiting`: the connection is lost, and another one follows. `off`: the server refuses it. */
  state: 'connecting' | 'live' | 'waiting' | 'off'
  error: Error | undefined
  /** The counts since the server started. */
  stats: { since: string, accepted: number, refused: number } | undefined
  /** How many events were not sent. */
  dropped: number
  /** Whether events may be missing since the connection was lost. */
  hasGap: boolean
  pause (): void
  proceed (): void
  clear (): void
  retry (): void
}

/** Milliseconds between two changes of the list, however many events arrive. */
const DRAW_EVERY = 250
const MAX_WAIT = 30_000

/** Follows the live view with the filters of the query, and connects again after the connection has ended. */
export function useLive (query: Readonly<Record<string, string>>): Live {
  const [rows, setRows] = useState<LiveRows>(NO_ROWS)
  const [state, setState] = useState<Live['state']>('connecting')
  const [error, setError] = useState<Error>()
  const [stats, setStats] = useState<Live['stats']>()
  const [dropped, setDropped] = useState(0)
  const [hasGap, setGap] = useState(false)
  const [round, setRound] = useState(0)
  const filter = JSON.stringify(query)
  const count = useRef(0)

  // Before the next paint, which shows nothing of the former filters.
  useLayoutEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    let arrived: LiveRow[] = []
    let lastId: string | undefined
    let failures = 0

    function take ({ id, event, data }: LiveMessage) {
      lastId = id ?? lastId
      const key = id ?? String(count.current++)
      if (event === 'accepted') arrived.push({ key, outcome: 'accepted', event: data as StoredEvent })
      else if (event === 'refused') arrived.push({ key, outcome: 'refused', refusal: data as Refusal })
      else if (event === 'stats') setStats(sumOf(data as Stats))
      else if (event === 'dropped') note(data as { count: number | null })
    }

    function note ({ count: missing }: { count: number | null }) {
      if (missing === null) setGap(true)
      else setDropped((former) => former + missing)
    }

    async function follow () {
      while (!signal.aborted) {
        try {
          setState((former) => former === 'waiting' ? former : 'connecting')
          await followEvents({ query, lastId, signal, take, onOpen })
        } catch (thrown) {
          if (signal.aborted || thrown instanceof SignedOut) return
          setError(thrown as Error)
          if (isFinal(thrown)) return setState('off')
        }
        if (signal.aborted) return
        setState('waiting')
        await sleep(Math.min(MAX_WAIT, 500 * 2 ** failures++) * (0.75 + Math.random() / 2), signal)
      }
    }

    function onOpen () {
      failures = 0
      setState('live')
      setError(undefined)
    }

    setRows(({ isPaused }) => ({ ...NO_ROWS, isPaused }))
    setState('connecting')
    setError(undefined)
    setStats(undefined)
    setDropped(0)
    setGap(false)
    const timer = setInterval(() => {
      if (arrived.length === 0) return
      const added = arrived
      arrived = []
      setRows((former) => add(former, added))
    }, DRAW_EVERY)
    follow().catch(setError)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [filter, round])

  return {
    rows,
    state,
    error,
    stats,
    dropped,
    hasGap,
    pause: () => setRows(pause),
    proceed: () => setRows(proceed),
    clear: () => setRows(({ isPaused }) => ({ ...NO_ROWS, isPaused })),
    retry: () => setRound((former) => former + 1)
  }
}

function sumOf ({ since, sources }: Stats): Live['stats'] {
  const refused = sources.flatMap((source) => Object.values(source.refused))
  return { since, accepted: sum(sources.map(({ accepted }) => accepted)), refused: sum(refused) }
}

function sum (numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Another request would have the same response. */
function isFinal (thrown: unknown): boolean {
  return thrown instanceof ApiError && [400, 403, 404].includes(thrown.status)
}

async function sleep (milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
