import type { FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { PageQuery } from '../../../schemas/page.js'
import { callerOf } from '../admin-scope.js'

/**
 * Reads the requested page. Cursors of stores and sinks are encrypted before they are sent, and bound to the
 * organisation, the route and the filter: throws `INVALID_REQUEST` for a forged, changed or foreign cursor before it
 * calls `list`. The signal of `list` aborts when the client disconnects. `selection` is the query, or a body that
 * selects a page.
 */
export async function readPage<Item> (
  request: FastifyRequest,
  list: (page: PageRequest) => Promise<Page<Item>>,
  selection = request.query as PageQuery
): Promise<Page<Item>> {
  const { cursor, limit } = selection
  const cursors = sealedCursors(request, selection)
  const page = await list({
    cursor: cursor === undefined ? undefined : cursors.open(cursor),
    limit,
    signal: request.signal
  })
  return { ...page, nextCursor: page.nextCursor === null ? null : cursors.seal(page.nextCursor) }
}

/** Encrypts and decrypts the cursors of a request. */
export interface SealedCursors {
  seal (cursor: string): string
  /** Throws `INVALID_REQUEST` for a forged, changed or foreign cursor. */
  open (sealed: string): string
}

export function sealedCursors (request: FastifyRequest, selection: unknown = request.query): SealedCursors {
  const { box } = request.server.adminTokens
  const context = contextOf(request, selection)
  return {
    seal: (cursor) => box.seal(cursor, context),
    open (sealed) {
      try {
        return box.open(sealed, context).toString()
      } catch (cause) {
        throw new INVALID_REQUEST({
          message: 'The cursor is not valid: send the "next_cursor" of the previous page, with the same filter',
          cause
        })
      }
    }
  }
}

/** Returns the values that a cursor is bound to: all that select the items of the list, without the size of a page. */
function contextOf (request: FastifyRequest, selection: unknown): string {
  const { cursor: _cursor, limit: _limit, ...filter } = selection as PageQuery & Record<string, unknown>
  const members = Object.entries(filter).sort(([one], [other]) => one < other ? -1 : 1)
  return JSON.stringify(['cursor', callerOf(request).org_id, request.routeOptions.url, request.params, members])
}
