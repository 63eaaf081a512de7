import { Type } from '@sinclair/typebox'
import type { Static, TSchema } from '@sinclair/typebox'

/** The members of a list's query string that say which page is wanted. */
export const pageQuery = {
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'The `next_cursor` of the page before, which is good for the same filter only' })),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50, description: 'How many items at most. A page may hold fewer, even none, while `has_more` is true: read on with its `next_cursor`' })
}

export const PageQuerySchema = Type.Object(pageQuery, { additionalProperties: false })
export type PageQuery = Static<typeof PageQuerySchema>

/** The period that a list is narrowed to. */
export const periodQuery = {
  from: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'Not before this time (ISO-8601)' })),
  to: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'Not after this time (ISO-8601)' }))
}

/** A page of a list, newest first. */
export function pageSchema<Item extends TSchema> (item: Item) {
  return Type.Object({
    data: Type.Array(item, { maxItems: 100 }),
    next_cursor: Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1024, description: 'Where to read on; null at the end' }),
    has_more: Type.Boolean()
  })
}

export interface PageReply<Item> { data: Item[], next_cursor: string | null, has_more: boolean }
