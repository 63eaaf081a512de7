import { Type } from '@sinclair/typebox'
import type { Static, TSchema } from '@sinclair/typebox'

/** The query parameters that select a page of a list. */
export const pageQuery = {
  cursor: Type.Optional(Type.String({
    minLength: 1, maxLength: 1024, description: 'The `next_cursor` of the previous page; valid only with equal filters'
  })),
  limit: Type.Integer({
    minimum: 1,
    maximum: 100,
    default: 50,
    description: 'Maximum number of items. A page may contain fewer or no items while `has_more` is true; continue ' +
      'with its `next_cursor`'
  })
}

export const PageQuerySchema = Type.Object(pageQuery, { additionalProperties: false })
export type PageQuery = Static<typeof PageQuerySchema>

/** The query parameters that restrict a list to a period. */
export const periodQuery = {
  from: Type.Optional(Type.String({
    format: 'date-time', maxLength: 40, description: 'Not before this time (ISO-8601)'
  })),
  to: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'Not after this time (ISO-8601)' }))
}

/** Returns the schema of one page of a list, newest first. */
export function pageSchema<Item extends TSchema> (item: Item) {
  return Type.Object({
    data: Type.Array(item, { maxItems: 100 }),
    next_cursor: Type.Unsafe<string | null>({
      type: ['string', 'null'], maxLength: 1024, description: 'The cursor of the next page; null on the last page'
    }),
    has_more: Type.Boolean()
  })
}

export interface PageReply<Item> { data: Item[], next_cursor: string | null, has_more: boolean }
