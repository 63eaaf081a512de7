import type { FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { PageQuery } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'

/**
 * Reads the page that a request asks for. The cursors of stores and sinks leave this server sealed, for one organisation, route and filter: a
 * cursor that was made up, altered or given for another list is `INVALID_REQUEST` before `list` is called. `list` gets a signal that aborts
 * when the client leaves.
 */
export async function readPage<Item> (request: FastifyRequest, list: (page: PageRequest) => Promise<Page<Item>>): Promise<Page<Item>> {
  const { cursor, limit } = request.query as PageQuery
  const { box } = request.server.adminTokens
  const context = contextOf(request)
  const page = await list({ cursor: cursor === undefined ? undefined : opened(cursor), limit, signal: request.signal })
  return { ...page, nextCursor: page.nextCursor === null ? null : box.seal(page.nextCursor, context) }

  function opened (sealed: string): string {
    try {
      return box.open(sealed, context).toString()
    } catch (cause) {
      throw new INVALID_REQUEST({ message: 'The cursor is not valid: send the "next_cursor" of the page before, with the same filter', cause })
    }
  }
}

/** What a cursor is good for: everything that chooses the items of a list, but not how many a page has. */
function contextOf (request: FastifyRequest): string {
  const { cursor: _cursor, limit: _limit, ...filter } = request.query as PageQuery & Record<string, unknown>
  const members = Object.entries(filter).sort(([one], [other]) => one < other ? -1 : 1)
  return JSON.stringify(['cursor', adminOf(request).org_id, request.routeOptions.url, request.params, members])
}
