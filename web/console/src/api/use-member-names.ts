import { call } from './client.ts'
import { ApiError } from './errors.ts'
import { has } from './features.ts'
import { useQuery } from './use-query.ts'

/** The emails of members by their ids; `null`: no member of the organisation any more. */
export type MemberNames = ReadonlyMap<string, string | null>

const NONE: MemberNames = new Map()

/** Reads the emails of members whose ids are in a list. Empty until they are known, and without the routes of users. */
export function useMemberNames (ids: readonly string[]): MemberNames {
  const distinct = has('users') ? [...new Set(ids)].toSorted() : []
  const { data } = useQuery(distinct.join(' '), async (signal): Promise<MemberNames> =>
    new Map(await Promise.all(distinct.map(async (id) => [id, await emailOf(id, signal)] as const))))
  return data ?? NONE
}

async function emailOf (id: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await call('get', 'users/{id}', { path: { id }, signal })).email
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}
