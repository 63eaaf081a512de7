import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { allSources } from '../../api/use-sources.ts'
import { currentOf, formerOf } from './period.ts'
import type { Period, Stats } from './period.ts'

export type Source = Reply<'get', 'sources/{id}'>
export type Notice = Reply<'get', 'notices'>['data'][number]

const REFRESH_MS = 30_000

export interface Overview {
  stats: Stats | undefined
  /** The same of the period before; `undefined` while it is loaded. */
  former: Stats | undefined
  sources: readonly Source[] | undefined
  notices: readonly Notice[]
  error: Error | undefined
  reload (): void
}

/** Loads what the overview shows, and loads it again every 30 s while the page is visible. */
export function useOverview (period: Period): Overview {
  const stats = useQuery(period.name, (signal) => call('get', 'stats', { query: currentOf(period), signal }))
  const sources = useQuery('sources', allSources)
  const notices = useQuery('notices', async (signal) =>
    may('admin') ? (await call('get', 'notices', { signal })).data : [])
  // Loaded again only when the hour or day changes: the past stays as it is.
  const former = useQuery(`${period.name} ${stats.data?.from ?? ''}`, async (signal) =>
    stats.data === undefined ? undefined : await call('get', 'stats', { query: formerOf(period, stats.data), signal }))
  const reload = () => {
    for (const query of [stats, sources, notices]) query.reload()
    if (former.error !== undefined) former.reload()
  }
  useRefresh(reload, REFRESH_MS)
  return {
    stats: stats.data,
    former: former.data,
    sources: sources.data,
    notices: notices.data ?? [],
    error: stats.error ?? sources.error ?? notices.error ?? former.error,
    reload
  }
}
