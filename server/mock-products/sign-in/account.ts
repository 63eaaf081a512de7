import type { FastifyInstance } from 'fastify'

import { sendPage } from '../mock-product.js'
import type { BrowserSessions } from './browser-sessions.js'
import { accountPage } from './pages.js'

/** Adds the provider's own page, `GET /`: who is signed in, and the buttons that sign out. */
export function accountRoute (app: FastifyInstance, provider: string, sessions: BrowserSessions): void {
  app.get('/', async (request, reply) => {
    const person = sessions.find(request)?.person ?? null
    const count = person === null ? 0 : sessions.ofPerson(person.id).length
    return sendPage(reply, accountPage(provider, person, count))
  })
}
