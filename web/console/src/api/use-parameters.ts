import { useLocation } from 'preact-iso'

type Changes = Readonly<Record<string, string | undefined>>

/** The parameters of the URL, and `set`, which changes some of them; `undefined` removes one. */
export function useParameters () {
  const { path, query, route } = useLocation()
  const hrefOf = (changes: Changes): string => {
    const entries = Object.entries({ ...query, ...changes })
    const search = new URLSearchParams(entries.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]))
    return search.size === 0 ? path : `${path}?${search.toString()}`
  }
  return { query, hrefOf, set: (changes: Changes) => route(hrefOf(changes)) }
}
