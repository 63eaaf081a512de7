import type { FastifyInstance } from 'fastify'

/** The password of all users of the examples with a login. */
export const DEMO_PASSWORD = 'a quite unguessable one'

/** Submits the login form of an example. */
export function submitLogin (app: FastifyInstance, user: string, password = DEMO_PASSWORD) {
  return app.inject({
    method: 'POST',
    url: '/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ user, password }).toString()
  })
}

/** Signs a user in and returns the `Cookie` header of the browser. */
export async function cookieOf (app: FastifyInstance, user: string): Promise<string> {
  const { statusCode, cookies } = await submitLogin(app, user)
  if (statusCode !== 303) throw new Error(`The login answered ${statusCode}`)
  return cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
}

/** The paths of the scripts of its own origin that a page loads, those of its import map included. */
export function scriptsOf (html: string): string[] {
  return [...html.matchAll(/(?:src="|: ")(\/[\w.-]+\.js)"/g)].map(([, path = '']) => path)
}
