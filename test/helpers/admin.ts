import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'

import { memorySink } from '../../plugins/event-sink/memory/index.js'
import type { ReadableEventSink } from '../../contracts/event-sink.js'
import { createPasswordsOfAnyCost } from '../../lib/passwords/index.js'
import type { Passwords } from '../../lib/passwords/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import type { AuditEntry, Role, TokenStore, User } from '../../contracts/token-store/index.js'
import adminApi from '../../routes/admin/api/index.js'
import type { AdminApiOptions } from '../../routes/admin/api/index.js'
import adminAuth from '../../routes/admin/auth/index.js'
import type { AdminAuthOptions } from '../../routes/admin/auth/index.js'
import adminMfa from '../../routes/admin/mfa/index.js'
import type { AdminMfaOptions } from '../../routes/admin/mfa/index.js'
import type { TokenPair } from '../../schemas/admin-auth.js'
import adminKeys from '../../routes/admin/keys/index.js'
import type { AdminKeysOptions } from '../../routes/admin/keys/index.js'
import scim from '../../routes/admin/scim/index.js'
import type { ScimOptions } from '../../routes/admin/scim/index.js'
import { backend } from './backend.js'

export const SECRET = 'k7Qd-2mVx9_pLw4ZtR8yBn3Hs6Jf1Gc0'
export const PASSWORD = 'a quite unguessable one'
export const DAY = 86_400_000

/** One cheap hasher for a whole test file. */
let cheap: Promise<Passwords> | undefined
export function cheapPasswords (): Promise<Passwords> {
  cheap ??= createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, maxWaiting: 1000 })
  return cheap
}

export interface AdminAppOptions {
  auth?: Partial<AdminAuthOptions>
  api?: Partial<AdminApiOptions>
  /** Also registers `adminKeys`. */
  keys?: Partial<AdminKeysOptions>
  /** Also registers `scim`. */
  scim?: Partial<ScimOptions>
  /** Registers `adminMfa` with these options. Default: not registered. */
  mfa?: Partial<AdminMfaOptions>
  server?: FastifyServerOptions
  store?: TokenStore
  /** What else to register, before the admin routes; a sink is there for it. */
  before?: (app: FastifyInstance, sink: ReadableEventSink) => Promise<void>
}

export interface AdminApp {
  app: FastifyInstance
  store: TokenStore
  /** The time that all parts see, epoch milliseconds. */
  clock: { now: number }
  addUser(email: string, role?: Role, orgId?: string): Promise<User>
  login(email: string, password?: string): Promise<TokenPair>
  post(url: string, payload: unknown, token?: string): ReturnType<typeof inject>
  get(url: string, token?: string): ReturnType<typeof inject>
  refresh(token: string): ReturnType<typeof inject>
  /** The audit entries, newest first, once `count` (1) of `action` are among them. */
  audited(action: string, orgId?: string, count?: number): Promise<AuditEntry[]>
}

function inject (app: FastifyInstance, options: InjectOptions) {
  return app.inject(options)
}

/** The admin routes on an empty store with a clock of its own, without limits of rates unless the test sets some. */
export async function adminApp (
  t: Test,
  { auth, api, mfa, keys, scim: scimOptions, server, store, before }: AdminAppOptions = {}
): Promise<AdminApp> {
  const clock = { now: Date.now() }
  const now = () => clock.now
  const passwords = await cheapPasswords()
  const { store: own, sink } = store === undefined ? await backend(t, { now }) : { store, sink: memorySink() }
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: own, sweepEvery: 0 })
  await before?.(app, sink)
  await app.register(adminAuth, {
    jwtSecrets: [SECRET],
    now,
    passwords,
    loginRateLimit: false,
    userRateLimit: false,
    tokenRateLimit: false,
    ...auth
  })
  if (mfa !== undefined) {
    const unlimited = { loginRateLimit: false as const, userRateLimit: false as const, tokenRateLimit: false as const }
    await app.register(adminMfa, { jwtSecrets: [SECRET], now, ...unlimited, ...mfa })
  }
  await app.register(adminApi, { jwtSecrets: [SECRET], now, userRateLimit: false, tokenRateLimit: false, ...api })
  if (keys !== undefined) {
    await app.register(adminKeys, { jwtSecrets: [SECRET], now, userRateLimit: false, tokenRateLimit: false, ...keys })
  }
  if (scimOptions !== undefined) {
    await app.register(scim, {
      jwtSecrets: [SECRET], now, userRateLimit: false, tokenRateLimit: false, ...scimOptions
    })
  }

  function call (method: 'GET' | 'POST', url: string, payload: unknown, token: string | undefined) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return inject(app, {
      method,
      url: url.startsWith('/') ? url : `/v1/admin/auth/${url}`,
      headers,
      ...payload === undefined ? {} : { payload: payload as object }
    })
  }

  return {
    app,
    store: own,
    clock,
    async addUser (email, role = 'admin', orgId = 'default') {
      return own.users.create({ orgId, email, passwordHash: await passwords.hash(PASSWORD), role })
    },
    async login (email, password = PASSWORD) {
      const reply = await call('POST', 'login', { email, password }, undefined)
      if (reply.statusCode !== 200) throw new Error(`login: ${reply.statusCode} ${reply.body}`)
      return reply.json<TokenPair>()
    },
    post: (url, payload, token) => call('POST', url, payload, token),
    get: (url, token) => call('GET', url, undefined, token),
    refresh: (token) => call('POST', 'refresh', { refresh_token: token }, undefined),
    audited: (action, orgId = 'default', count = 1) => waitForAudit(own, action, orgId, count)
  }
}

async function waitForAudit (store: TokenStore, action: string, orgId: string, count: number): Promise<AuditEntry[]> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { data } = await store.audit.list(orgId, {}, { limit: 100 })
    if (data.filter((entry) => entry.action === action).length >= count) return data
    if (Date.now() > deadline) {
      throw new Error(`no audit entry ${action} in ${JSON.stringify(data.map((entry) => entry.action))}`)
    }
    await sleep(5)
  }
}

type Json = Record<string, unknown> | string

/** A JWT made by hand: header and claims as objects or as JSON text, signed with HMAC of the given hash. */
export function forge (header: Json, claims: Json, secret = SECRET, hash = 'sha256'): string {
  const input = [header, claims].map((part) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
  ).join('.')
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}

/** What a JWT says. */
export function decode (token: string): { header: Record<string, unknown>, claims: Record<string, unknown> } {
  const [header = '', claims = ''] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  return {
    header: JSON.parse(header) as Record<string, unknown>,
    claims: JSON.parse(claims) as Record<string, unknown>
  }
}
