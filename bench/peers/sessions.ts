// A peer's own request handler, with the route that gives the bench a session.
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'

import { listening } from '../serve.js'
import type { Session } from '../routes/fleet.js'

/** Returns the port. `startSession` starts a session as a login does. */
export function listenWithSessions (handle: RequestListener, startSession: () => Promise<Session>): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url !== '/bench/session') return handle(request, response)
    startSession().then((session) => response.end(JSON.stringify(session)), (error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  return listening(server.listen(0, '127.0.0.1'))
}
