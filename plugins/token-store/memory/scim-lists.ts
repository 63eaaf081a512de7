import type { ScimCondition, ScimPage, ScimQuery } from '../../../contracts/token-store/index.js'

/** Returns one page of the items that meet all conditions. */
export function pageOf<Stored, Field extends string, Item> (
  stored: readonly Stored[],
  { filter, offset, limit }: ScimQuery<Field>,
  matches: (item: Stored, condition: ScimCondition<Field>) => boolean,
  copy: (item: Stored) => Item
): ScimPage<Item> {
  const matching = stored.filter((item) => filter.every((condition) => matches(item, condition)))
  return { data: matching.slice(offset, offset + limit).map(copy), total: matching.length }
}

/** Returns whether a string meets a condition; `isExact` is for `eq`. */
export function matchesText (value: string | null, condition: ScimCondition<string>, isExact: boolean): boolean {
  if (value === null || condition.operator === 'pr') return value !== null
  const [text, part] = [value.toLowerCase(), condition.value.toLowerCase()]
  switch (condition.operator) {
    case 'eq': return isExact ? value === condition.value : text === part
    case 'co': return text.includes(part)
    case 'sw': return text.startsWith(part)
  }
}
