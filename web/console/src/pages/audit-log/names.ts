import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { useSources } from '../../api/use-sources.ts'

const MAX_PAGES = 10

/** Names by the ids of users and sources. */
export type Names = ReadonlyMap<string, string>

/** Loads the emails of the users of the organisation by id, at most 1,000; none for roles below admin. */
export function useUserNames (): Names | undefined {
  const { data } = useQuery('all users', async (signal) => {
    const names = new Map<string, string>()
    if (!has('users') || !may('admin')) return names
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = { limit: 100, ...cursor === undefined ? {} : { cursor } }
      const { data: users, next_cursor: next } = await call('get', 'users', { query, signal })
      for (const { id, email } of users) names.set(id, email)
      if (next === null) break
      cursor = next
    }
    return names
  })
  return data
}

/** Names of the things that entries of the audit log are about. */
export function useNames (): Names {
  const users = useUserNames()
  const { data: sources } = useSources()
  return new Map([...users ?? [], ...[...sources?.values() ?? []].map(({ id, name }) => [id, name] as const)])
}
