import { allPages } from './all-pages.ts'
import { call } from './client.ts'
import type { Reply } from './paths.ts'
import { useQuery } from './use-query.ts'
import type { Query } from './use-query.ts'

export type Source = Reply<'get', 'sources/{id}'>

/** Loads the sources of the organisation, at most 2,000. */
export async function allSources (signal: AbortSignal): Promise<Source[]> {
  return await allPages((query) => call('get', 'sources', { query, signal }))
}

/** Loads the sources of the organisation by id: for their names, and to choose one. */
export function useSources (): Query<ReadonlyMap<string, Source>> {
  return useQuery('all sources', async (signal) =>
    new Map((await allSources(signal)).map((source) => [source.id, source])))
}
