import type { InjectOptions } from 'fastify'

import type { Role } from '../../contracts/token-store/index.js'
import type { AdminApp } from './admin.js'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
export type Reply = Awaited<ReturnType<Caller['get']>>

export interface Caller {
  userId: string
  token: string
  send (method: Method, path: string, payload?: unknown): ReturnType<typeof sendOf>
  get (path: string): ReturnType<typeof sendOf>
}

function sendOf ({ app }: AdminApp, token: string, method: Method, path: string, payload: unknown) {
  const options: InjectOptions = { method, url: `/v1/admin${path}`, headers: { authorization: `Bearer ${token}` } }
  return app.inject(payload === undefined ? options : { ...options, payload: payload as object })
}

/** A user of that role, logged in, who calls paths below `/v1/admin`. */
export async function caller (admin: AdminApp, role: Role = 'owner', orgId = 'default'): Promise<Caller> {
  const email = `${role}@${orgId}.example.com`
  const { id } = await admin.addUser(email, role, orgId)
  const { access_token: token } = await admin.login(email)
  return {
    userId: id,
    token,
    send: (method, path, payload) => sendOf(admin, token, method, path, payload),
    get: (path) => sendOf(admin, token, 'GET', path, undefined)
  }
}
