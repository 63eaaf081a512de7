import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { refusal } from '../page.js'
import { sendPage } from '../mock-product.js'

/** The parameters of a request by name. An empty parameter counts as omitted (RFC 6749, section 3.1). */
export type Parameters = ReadonlyMap<string, string>

/** Accepts forms in the requests of an app, and no other body. */
export function acceptForms (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 262_144 },
    (_request, body, done) => done(null, new URLSearchParams(String(body)))
  )
}

/**
 * Returns the parameters of a request: of the form in the body of a POST, otherwise of the query. Returns `null` if a
 * parameter is repeated.
 */
export function readParameters ({ method, body, raw: { url = '' } }: FastifyRequest): Parameters | null {
  const sent = method !== 'POST'
    ? new URLSearchParams(url.split('?').slice(1).join('?'))
    : body instanceof URLSearchParams ? body : new URLSearchParams()
  const parameters = new Map<string, string>()
  for (const [name, value] of sent) {
    if (parameters.has(name)) return null
    parameters.set(name, value)
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name)
  return parameters
}

/** Returns a URL with further query parameters; the existing query stays as it is. */
export function withQuery (url: string, parameters: Readonly<Record<string, string | null>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== null) query.set(name, value)
  return query.size === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
}

/** A `preHandler` hook for the forms of a provider's own pages: refuses forms of other origins with 403. */
export async function ownFormsOnly (
  { headers: { origin, host } }: FastifyRequest,
  reply: FastifyReply
): Promise<unknown> {
  if (origin === undefined || origin === `http://${host}`) return
  return sendPage(reply.code(403), refusal('Not allowed', 'Only a page of this provider may send this form.'))
}
