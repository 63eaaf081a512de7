import type { Expression, ExpressionBuilder, Kysely, SqlBool, StringReference } from 'kysely'

import { toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { ScimCondition, ScimPage } from '../../../contracts/token-store/index.js'

interface PageStatements<Row> {
  count: (reader: Kysely<DatabaseSchema>) => Promise<{ count: string }>
  rows: (reader: Kysely<DatabaseSchema>) => Promise<Row[]>
}

/** Reads one page and the number of all matching rows. */
export async function readScimPage<Row, Item> (
  lists: ListReads,
  limit: number,
  { count, rows }: PageStatements<Row>,
  toItem: (row: Row) => Item
): Promise<ScimPage<Item>> {
  const total = Number((await lists.read(count)).count)
  return { data: limit === 0 || total === 0 ? [] : (await lists.read(rows)).map(toItem), total }
}

/** Returns the SQL of a condition on a text column. Unless `isExact`, the column is in lower case. */
export function matchText<Tables extends keyof DatabaseSchema> (
  eb: ExpressionBuilder<DatabaseSchema, Tables>,
  column: StringReference<DatabaseSchema, Tables>,
  condition: ScimCondition<string>,
  isExact: boolean
): Expression<SqlBool> {
  if (condition.operator === 'pr') return eb(column, 'is not', null)
  const lower = eb.val(toColumnText(condition.value.toLowerCase()))
  const compared = isExact ? eb.fn<string>('lower', [column]) : eb.ref(column)
  switch (condition.operator) {
    case 'eq': return eb(eb.ref(column), '=', (isExact ? eb.val(toColumnText(condition.value)) : lower) as never)
    // Functions instead of LIKE, so that % and _ in the value are literal.
    case 'co': return eb(eb.fn<number>('strpos', [compared, lower]), '>', eb.lit(0))
    case 'sw': return eb.fn<SqlBool>('starts_with', [compared, lower])
  }
}
