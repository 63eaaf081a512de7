import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

import { isAborted } from './errors.ts'

export interface Query<Data> {
  /** The latest data, also while it is loaded again; `undefined` before the first response. */
  data: Data | undefined
  error: Error | undefined
  loading: boolean
  reload (): void
}

interface State<Data> {
  key: string
  data?: Data
  error?: Error
  loading: boolean
}

/**
 * Loads data when the component appears and when `key` changes, and cancels a request that is no longer needed.
 *
 * @example
 * const { data, error, reload } = useQuery(id, (signal) => call('get', 'sources/{id}', { path: { id }, signal }))
 */
export function useQuery<Data> (key: string, load: (signal: AbortSignal) => Promise<Data>): Query<Data> {
  const [state, setState] = useState<State<Data>>({ key, loading: true })
  const [round, setRound] = useState(0)
  const latest = useRef(load)
  latest.current = load

  useEffect(() => {
    const abort = new AbortController()
    setState((former) => former.key === key ? { ...former, loading: true } : { key, loading: true })
    latest.current(abort.signal).then(
      (data) => { if (!abort.signal.aborted) setState({ key, data, loading: false }) },
      (error: unknown) => {
        if (isAborted(error) || abort.signal.aborted) return
        setState((former) => ({ ...former, error: error as Error, loading: false }))
      }
    )
    return () => abort.abort()
  }, [key, round])

  const reload = useCallback(() => setRound((count) => count + 1), [])
  // After a change of the key the former data is no answer.
  const { data, error, loading } = state.key === key ? state : { data: undefined, error: undefined, loading: true }
  return { data, error, loading, reload }
}

/** A page of a list of the admin API. */
export interface Page<Item> {
  data: Item[]
  next_cursor: string | null
  has_more: boolean
}

/**
 * Loads a page of a list. A page may be empty although more follows, because the server ends a long search early: then
 * the next page is loaded too.
 */
export async function filledPage<Item> (
  load: (cursor: string | undefined) => Promise<Page<Item>>,
  start: string | undefined
): Promise<Page<Item>> {
  let page = await load(start)
  for (let more = 0; page.data.length === 0 && page.next_cursor !== null && more < 10; more++) {
    page = await load(page.next_cursor)
  }
  return page
}
