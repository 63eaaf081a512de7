import type { InjectOptions } from 'fastify'
import type { Test } from 'tap'

import type { ApiKey, NewApiKey, Role } from '../../contracts/token-store/index.js'
import { anApiKey } from '../../conformance/token-store/fixtures.js'
import { generateApiKey } from '../../signing/api-key.js'
import { sha256Hex } from '../../signing/digest.js'
import { adminApp } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** A directory that sends requests below `/scim/v2` with an API key. */
export interface Directory {
  key: string
  keyId: string
  send (method: Method, path: string, payload?: unknown, headers?: Record<string, string>): ReturnType<typeof inject>
  /** Sends PATCH operations. */
  patch (path: string, ...operations: object[]): ReturnType<typeof inject>
  /** Creates a user and returns the id. */
  provision (userName: string, fields?: object): Promise<string>
  /** Creates a group and returns the id. */
  addGroup (displayName: string, members?: string[]): Promise<string>
}

export interface ScimApp extends AdminApp, Directory {
  orgId: string
  /** Creates an API key and returns a directory that uses it. */
  directory (role?: Role, fields?: Partial<NewApiKey>): Promise<Directory>
  /** Makes an organisation prove a domain. */
  prove (domain: string, orgId?: string): Promise<void>
}

function inject ({ app }: AdminApp, options: InjectOptions) {
  return app.inject(options)
}

/** The admin routes with `scim`. The organisation `org-a` has proved `example.com`, and its directory is an owner. */
export async function scimApp (t: Test, options: AdminAppOptions = {}): Promise<ScimApp> {
  const admin = await adminApp(t, { scim: {}, ...options })
  const { store } = admin
  for (const id of ['org-a', 'org-b']) await store.organisations.create({ id, name: id })

  async function prove (domain: string, orgId = 'org-a'): Promise<void> {
    const { id } = await store.ssoDomains.add({ orgId, domain, token: 'token' })
    await store.ssoDomains.verify(orgId, id)
  }

  async function directory (role: Role = 'owner', fields: Partial<NewApiKey> = {}): Promise<Directory> {
    const key = generateApiKey()
    const created: ApiKey = await store.apiKeys.create(anApiKey({ role, digest: sha256Hex(key), ...fields }))
    const send: Directory['send'] = (method, path, payload, headers = {}) =>
      inject(admin, {
        method,
        url: `/scim/v2${path}`,
        headers: {
          authorization: `Bearer ${key}`,
          ...payload === undefined ? {} : { 'content-type': 'application/scim+json' },
          ...headers
        },
        ...payload === undefined ? {} : { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }
      })
    const idOf = async (path: string, body: object) => {
      const reply = await send('POST', path, body)
      if (reply.statusCode !== 201) throw new Error(`${path}: ${reply.statusCode} ${reply.body}`)
      return reply.json<{ id: string }>().id
    }
    return {
      key,
      keyId: created.id,
      send,
      patch: (path, ...operations) => send('PATCH', path, { schemas: [PATCH_OP], Operations: operations }),
      provision: (userName, more = {}) => idOf('/Users', { userName, ...more }),
      addGroup: (displayName, members = []) =>
        idOf('/Groups', { displayName, members: members.map((value) => ({ value })) })
    }
  }

  await prove('example.com')
  return { ...admin, ...await directory(), orgId: 'org-a', directory, prove }
}
