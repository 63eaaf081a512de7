import type { Reply } from './paths.ts'
import { ApiError } from './errors.ts'
import { createStore } from './store.ts'
import { read, send } from './transport.ts'

type TokenReply = Reply<'post', 'auth/refresh'>

/** The access token, in memory alone. */
interface Access {
  token: string
  /** Epoch milliseconds by the clock of the browser. */
  expiresAt: number
}

type Message = { type: 'access', access: Access } | { type: 'ended' }

/** An access token is replaced this many milliseconds before it expires. */
const EARLY = 20_000
const LOCK = 'gatehouse refresh'
const MARK = 'gatehouse session'

/** The current access token; `null` before a sign-in and after the session has ended. */
export const access = createStore<Access | null>(null)

/** The tabs of one browser share the refresh cookie, so they also share the access token. */
const channel = new BroadcastChannel('gatehouse session')
channel.onmessage = ({ data }: MessageEvent<Message>) => {
  access.set(data.type === 'access' ? data.access : null)
  if (data.type === 'ended') for (const listener of endListeners) listener()
}

const endListeners: Array<() => void> = []

/** Calls the listener when the user signs out in another tab. */
export function onSignOutElsewhere (listener: () => void): void {
  endListeners.push(listener)
}

/** Keeps the access token of a login or refresh. */
export function keep ({ access_token: token, expires_in: seconds }: TokenReply): void {
  const next = { token, expiresAt: Date.now() + seconds * 1_000 }
  access.set(next)
  remember(true)
  channel.postMessage({ type: 'access', access: next } satisfies Message)
}

/** Forgets the access token in all tabs. */
export function forget (): void {
  access.set(null)
  remember(false)
  channel.postMessage({ type: 'ended' } satisfies Message)
}

/** Notes that the browser has a session, which scripts cannot see in the cookie: without one there is no refresh. */
function remember (hasSession: boolean): void {
  try {
    if (hasSession) localStorage.setItem(MARK, 'yes')
    else localStorage.removeItem(MARK)
  } catch {
    // The browser keeps nothing.
  }
}

function mayHaveSession (): boolean {
  try {
    return localStorage.getItem(MARK) !== null
  } catch {
    return true
  }
}

let running: Promise<string | null> | null = null

/**
 * Returns an access token that is valid for some seconds, by a refresh if needed; `null` if the session has ended.
 * `refused` is a token that the server has refused. Throws `ApiError` if the server does not respond.
 */
export async function validToken (refused?: string): Promise<string | null> {
  const current = usable(refused)
  return current ?? await (running ??= refreshOnce(refused).finally(() => { running = null }))
}

function usable (refused: string | undefined): string | null {
  const current = access.get()
  return current === null || current.token === refused || current.expiresAt - EARLY < Date.now() ? null : current.token
}

/** Refreshes in one tab at a time: a refresh token works once. The others wait and use the token of that tab. */
async function refreshOnce (refused: string | undefined): Promise<string | null> {
  const refresh = async () => usable(refused) ?? await requestTokens()
  // Browsers offer locks on https and on this machine; elsewhere they do not store the cookie either.
  return 'locks' in navigator ? await navigator.locks.request(LOCK, refresh) : await refresh()
}

async function requestTokens (): Promise<string | null> {
  if (!mayHaveSession()) return null
  try {
    const reply = await read(await send({ method: 'post', path: 'auth/refresh' })) as TokenReply
    keep(reply)
    return reply.access_token
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    access.set(null)
    remember(false)
    return null
  }
}
