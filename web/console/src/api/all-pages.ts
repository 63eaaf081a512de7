import type { Page } from './use-query.ts'

const MOST_PAGES = 20

/** Loads all items of a list that a quota keeps short. */
export async function allPages<Item> (
  load: (query: { cursor?: string, limit: number }) => Promise<Page<Item>>
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | null = null
  for (let count = 0; count < MOST_PAGES; count++) {
    const page: Page<Item> = await load({ ...cursor === null ? {} : { cursor }, limit: 100 })
    items.push(...page.data)
    cursor = page.next_cursor
    if (cursor === null) break
  }
  return items
}
