import type { FastifyInstance, FastifyReply } from 'fastify'

import { LiveTokens, secretForThisRun, sendPage } from '../mock-product.js'
import { refusal } from '../page.js'
import type { BrowserSessions } from './browser-sessions.js'
import { signInPage } from './pages.js'
import { ownFormsOnly, readParameters } from './parameters.js'
import type { Person } from './people.js'

const SIGN_IN_TIME = 600_000

export interface SignInFormOptions<Wanted> {
  /** The name of the provider. */
  provider: string
  /** The identifier of the app that requests the sign-in. */
  app: string
  people: readonly Person[]
  sessions: BrowserSessions
  now: () => number
  /** Responds after the person has signed in. */
  signedIn (
    reply: FastifyReply,
    wanted: Wanted,
    result: ReturnType<BrowserSessions['signIn']>
  ): FastifyReply | Promise<FastifyReply>
  /** Responds after the person has cancelled. */
  cancelled (reply: FastifyReply, wanted: Wanted): FastifyReply
}

/**
 * Adds the route that receives the sign-in form. Returns the function that sends the page with the form for a request
 * of the app; each page works once, for ten minutes.
 */
export function signInForm<Wanted> (
  server: FastifyInstance,
  { provider, app, people, sessions, now, signedIn, cancelled }: SignInFormOptions<Wanted>
): (reply: FastifyReply, wanted: Wanted, hint?: string | null) => FastifyReply {
  const pending = new LiveTokens<Wanted>(now)

  server.post('/sign-in', { preHandler: ownFormsOnly }, async (request, reply) => {
    const form = readParameters(request)
    const wanted = pending.take(form?.get('request') ?? '')
    const person = people.find(({ id }) => id === form?.get('person'))
    if (wanted !== null && form?.has('cancel') === true) return cancelled(reply, wanted)
    if (wanted !== null && person !== undefined) {
      return signedIn(reply, wanted, sessions.signIn(request, reply, person))
    }
    const page = refusal('This page has expired', 'Go back to the app and start the sign-in again.')
    return sendPage(reply.code(400), page)
  })

  return function sendSignInPage (reply, wanted, hint = null) {
    const id = secretForThisRun()
    pending.add(id, wanted, now() + SIGN_IN_TIME)
    return sendPage(reply, signInPage({ provider, app, request: id, people, hint }))
  }
}
