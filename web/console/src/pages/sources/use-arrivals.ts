import { useEffect, useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { ApiError } from '../../api/errors.ts'
import { followEvents } from '../../api/live-events.ts'
import type { LiveMessage } from '../../api/live-events.ts'

export interface StoredEvent {
  id?: string
  type?: string
  event?: string
  name?: string
  receivedAt?: string
  context?: { page?: { url?: string } }
}

/** Refusals with the same cause. */
export interface Refusals {
  code: string
  message: string
  /** The origin of the page, if it is not allowed. */
  origin: string | null
  count: number
}

export interface Arrivals {
  /** The newest event; `null`: none has arrived; `undefined`: not known yet. */
  latest: StoredEvent | null | undefined
  /** The causes of refusals since the page was opened, the newest first. */
  refusals: readonly Refusals[]
  error: Error | undefined
}

type Refusal = Omit<Refusals, 'count'>
const RETRY_MS = 2_000

/** Watches a source: its newest event, and what is refused. Where the live view is off, it asks every two seconds. */
export function useArrivals (id: string): Arrivals {
  const [latest, setLatest] = useState<StoredEvent | null>()
  const [refusals, setRefusals] = useState<readonly Refusals[]>([])
  const [error, setError] = useState<Error>()

  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    let isLive = true

    async function readLatest () {
      const { data: [newest] } = await call('get', 'events', { query: { source_id: id, limit: 1 }, signal })
      setLatest((known) => newest as StoredEvent | undefined ?? known ?? null)
      setError(undefined)
    }

    async function watch () {
      while (!signal.aborted) {
        await readLatest()
        if (isLive) await follow()
        await pause(signal)
      }
    }

    async function follow () {
      try {
        await followEvents({ query: { source_id: id }, signal, take })
      } catch (thrown) {
        if (!isOff(thrown)) throw thrown
        isLive = false
      }
    }

    function take ({ event, data }: LiveMessage) {
      if (event === 'accepted') setLatest(data as StoredEvent)
      if (event === 'refused') setRefusals((known) => withRefusal(known, data as Refusal))
      // The stream has begun: what came between the two requests is not missed.
      if (event === 'stats') readLatest().catch(() => {})
    }

    async function watchAgain () {
      while (!signal.aborted) {
        try {
          await watch()
        } catch (thrown) {
          if (signal.aborted) return
          setError(thrown as Error)
          await pause(signal)
        }
      }
    }

    setLatest(undefined)
    setRefusals([])
    watchAgain().catch(setError)
    return () => abort.abort()
  }, [id])

  return { latest, refusals, error }
}

/** Without the live view the route is 404; with too many viewers it is 429. Asking still works. */
function isOff (thrown: unknown): boolean {
  return thrown instanceof ApiError && [404, 429].includes(thrown.status)
}

function withRefusal (known: readonly Refusals[], { code, message, origin }: Refusal): Refusals[] {
  const same = known.find((one) => one.code === code && one.origin === origin)
  const others = known.filter((one) => one !== same)
  return [{ code, message, origin, count: (same?.count ?? 0) + 1 }, ...others].slice(0, 5)
}

async function pause (signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve(undefined)
    }
    const timer = setTimeout(end, RETRY_MS)
    signal.addEventListener('abort', end)
  })
}
