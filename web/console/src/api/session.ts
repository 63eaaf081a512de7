import { call, sendSigned } from './client.ts'
import type { Reply } from './paths.ts'
import { createStore } from './store.ts'
import { access, forget, keep, onSignOutElsewhere, validToken } from './tokens.ts'
import { read, send } from './transport.ts'

export type Me = Reply<'get', 'auth/me'>
export type Tokens = Reply<'post', 'auth/refresh'>
export type LoginReply = Reply<'post', 'auth/login'>
export type Role = 'viewer' | 'editor' | 'admin' | 'owner'

const RANKS: readonly string[] = ['viewer', 'editor', 'admin', 'owner']

/** The signed-in user; `null`: nobody; `undefined`: not known yet. */
export const me = createStore<Me | null | undefined>(undefined)

/** Continues the session of the cookie, if there is one. Throws `ApiError` if the server does not respond. */
export async function resume (): Promise<void> {
  if (await validToken() === null) me.set(null)
  else await loadMe()
}

/** Starts the session of a finished login. */
export async function enter (tokens: Tokens): Promise<Me> {
  keep(tokens)
  return await loadMe()
}

async function loadMe (): Promise<Me> {
  const user = await call('get', 'auth/me', {})
  me.set(user)
  return user
}

/** Ends the session; returns the URL that also ends the one at the identity provider, or `null`. */
export async function signOut (): Promise<string | null> {
  const url = await endSession()
  forget()
  me.set(null)
  return url
}

async function endSession (): Promise<string | null> {
  // Without single sign-on the first route does not exist.
  const response = await sendSigned({ method: 'post', path: 'auth/sso/logout' })
  if (response.ok) return (await read(response) as Reply<'post', 'auth/sso/logout'>).logout_url
  await read(await send({ method: 'post', path: 'auth/logout' }))
  return null
}

/** Enters another organisation of the user. */
export async function switchTo (organisation: string): Promise<void> {
  await enter(await call('post', 'auth/switch', { body: { org_id: organisation } }))
}

/** Returns whether the user has at least a role: what the user may not do is not offered. */
export function may (role: Role): boolean {
  return RANKS.indexOf(me.get()?.role ?? '') >= RANKS.indexOf(role)
}

onSignOutElsewhere(() => me.set(null))

// Another tab may have entered another organisation: its token then belongs to another user or organisation.
access.subscribe(() => {
  const [current, user] = [access.get(), me.get()]
  if (current === null || user === null || user === undefined) return
  const { sub, org_id: orgId } = claimsOf(current.token)
  if (sub !== user.id || orgId !== user.org_id) loadMe().catch(() => {})
})

function claimsOf (token: string): { sub?: string, org_id?: string } {
  const [, payload = ''] = token.split('.')
  return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
}
