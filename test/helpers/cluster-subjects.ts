import { randomUUID } from 'node:crypto'

import { ORG } from '../../server/demo-source.js'
import { createPasswords } from '../../lib/passwords/index.js'
import type { Role, User } from '../../contracts/token-store/index.js'
import { generateSecret } from '../../signing/secret-strength/index.js'
import { signUserReference } from '../../signing/user-reference.js'
import { call, done, pairOf, refusalOf } from './cluster-call.js'
import type { Pair } from './cluster-call.js'
import type { Ask } from './cluster-watch.js'
import type { Cluster } from './cluster.js'
import type { ServerProcess } from './server-process.js'

/** Something that works until it is revoked. */
export interface Subject {
  ask: Ask
  revoke(): Promise<unknown>
}

/** Makes a subject whose revoking call goes to that instance. */
export type MakeSubject = (cluster: Cluster, at: ServerProcess) => Promise<Subject>

export const PROXY_KEY = generateSecret()
const PASSWORD = 'a quite unguessable one'
const SHOP = 'https://shop.example.com'

let passwordHash: Promise<string> | undefined

/** An administrator of the organisation, made behind the servers' backs, with `PASSWORD`. */
export async function makeUser ({ store }: Cluster, role: Role = 'admin'): Promise<User> {
  passwordHash ??= createPasswords().then(({ hash }) => hash(PASSWORD))
  return store.users.create({
    orgId: ORG,
    email: `${randomUUID()}@example.com`,
    passwordHash: await passwordHash,
    role
  })
}

/** A new session of the user. */
export function signIn (at: ServerProcess, { email }: Pick<User, 'email'>): Promise<Pair> {
  return pairOf(at, email, PASSWORD)
}

/** A source's key, by which events come in, with or without the page that they come from. */
export function keyUntil (
  revoke: (path: string, token: string, at: ServerProcess) => Promise<unknown>,
  headers: Record<string, string> = {}
): MakeSubject {
  return async (cluster, at) => {
    const { id, pipeline_key: key } = await done(at, '/v1/admin/sources', {
      token: cluster.token,
      body: { name: 'Shop', domains: [SHOP] }
    })
    return {
      ask: async (instance) =>
        refusalOf(await call(instance, '/v1/t', { token: String(key), body: { event: 'Seen', userId: 'u' }, headers })),
      revoke: () => revoke(`/v1/admin/sources/${String(id)}`, cluster.token, at)
    }
  }
}

export const FROM_SHOP = { origin: SHOP }

/** An access token of an administrator who has two sessions, on a route for administrators. */
export function tokenUntil (
  revoke: (own: Pair, other: Pair, user: User, cluster: Cluster, at: ServerProcess) => Promise<unknown>
): MakeSubject {
  return async (cluster, at) => {
    const user = await makeUser(cluster)
    const [own, other] = [await signIn(at, user), await signIn(at, user)]
    return {
      ask: async (instance) =>
        refusalOf(await call(instance, '/v1/admin/audit-logs?limit=1', { token: own.access_token })),
      revoke: () => revoke(own, other, user, cluster, at)
    }
  }
}

/** An API key on a route for administrators. */
export function apiKeyUntil (
  revoke: (path: string, token: string, at: ServerProcess) => Promise<unknown>
): MakeSubject {
  return async (cluster, at) => {
    const { id, key } = await done(at, '/v1/admin/keys', {
      token: cluster.token,
      body: { name: 'Pipeline', role: 'admin', permissions: ['audit:read'] }
    })
    return {
      async ask (instance) {
        const refusal = refusalOf(await call(instance, '/v1/admin/audit-logs?limit=1', { token: String(key) }))
        // A valid key is never limited. Of an unknown key, an address gets 100 refusals per minute, then 429.
        return refusal === '429 RATE_LIMITED' ? '401 INVALID_TOKEN' : refusal
      },
      revoke: () => revoke(`/v1/admin/keys/${String(id)}`, cluster.token, at)
    }
  }
}

export function changePassword ({ access_token: token }: Pair, at: ServerProcess): Promise<unknown> {
  return done(at, '/v1/admin/auth/password', {
    token,
    body: { current_password: PASSWORD, new_password: generateSecret() }
  })
}

function guestTokenPath ({ variables }: Cluster, user: string): string {
  return `/api/databrain/guest-token?ref=${
    signUserReference({ sub: user }, { key: variables.USER_REFERENCE_KEY, audience: 'gatehouse-embed' })
  }`
}

/** A user's embeds, by a reference that was made before the user was revoked. */
export const embeds: MakeSubject = async (cluster, at) => {
  const user = randomUUID()
  const path = guestTokenPath(cluster, user)
  return {
    ask: async (instance) => refusalOf(await call(instance, path, { token: PROXY_KEY })),
    revoke: () => done(at, '/v1/admin/embeds/revoke', { token: cluster.token, body: { user_id: user } })
  }
}

/** The guest token that one instance has minted and all of them answer; another one counts as refused. */
export const guestToken: MakeSubject = async (cluster, at) => {
  const clientId = randomUUID()
  const path = guestTokenPath(cluster, clientId)
  const get = async (instance: ServerProcess) => (await done(instance, path, { token: PROXY_KEY })).token
  const first = await get(at)
  return {
    ask: async (instance) => await get(instance) === first ? null : 'another token',
    revoke: () => cluster.store.guestTokens.invalidate({ clientId })
  }
}
