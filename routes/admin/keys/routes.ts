import type { FastifyInstance, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import type { ApiKey } from '../../../contracts/token-store/index.js'
import * as schemas from '../../../schemas/admin-keys.js'
import type { ApiKeyItem, ApiKeyPatchBody, ApiKeyWithSecret, NewApiKeyBody } from '../../../schemas/admin-keys.js'
import type { PageQuery } from '../../../schemas/page.js'
import type { RotateBody } from '../../../schemas/source.js'
import { apiKeyPrefix, generateApiKey } from '../../../signing/api-key.js'
import { sha256Hex } from '../../../signing/digest.js'
import { adminOf } from '../admin-scope.js'
import { pageReply } from '../api/page-reply.js'
import { readPage } from '../api/page-request.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { assertNotAbove, assertPermissions, expiryOf, viewApiKey } from './fields.js'

export interface KeyRouteSettings {
  now: () => number
  /** Maximum keys per organisation that have not expired. */
  quota: number
  /** The permissions that a key can have. */
  permissions: readonly string[]
}

/** Registers the routes of API keys. All look-ups are limited to the caller's organisation: other keys are 404. */
export function keyRoutes (scope: FastifyInstance, { now, quota, permissions }: KeyRouteSettings): void {
  const { apiKeys } = scope.tokenStore
  const known = new Set(permissions)

  scope.get(
    '/permissions',
    { schema: schemas.listPermissionsSchema, ...PERMISSIONS.readKeys },
    async function listPermissions () {
      return { data: permissions }
    }
  )

  scope.post<{ Body: NewApiKeyBody }>(
    '/keys',
    { schema: schemas.createApiKeySchema, ...PERMISSIONS.manageKeys },
    async function createKey (request, reply) {
      const { sub, org_id: orgId, role: callerRole } = adminOf(request)
      const { name, role } = request.body
      assertNotAbove(role, callerRole)
      assertPermissions(request.body.permissions, known)
      const expiresAt = expiryOf(request.body, now())
      const { key, digest, prefix } = newKey()
      const created = await apiKeys.create({
        orgId,
        name,
        role,
        permissions: request.body.permissions ?? null,
        expiresAt,
        createdBy: sub,
        digest,
        prefix,
        quota
      })
      const view = viewApiKey(created)
      audit(request, 'key.created', created, { role, permissions: view.permissions, expires_at: view.expires_at })
      reply.code(201)
      return { ...view, key } satisfies ApiKeyWithSecret
    }
  )

  scope.get<{ Querystring: PageQuery }>(
    '/keys',
    { schema: schemas.listApiKeysSchema, ...PERMISSIONS.readKeys },
    async function listKeys (request) {
      return pageReply(await readPage(request, (page) => apiKeys.list(adminOf(request).org_id, page)), viewApiKey)
    }
  )

  scope.get(
    '/keys/:id',
    { schema: schemas.readApiKeySchema, ...PERMISSIONS.readKeys },
    async function readKey (request): Promise<ApiKeyItem> {
      return viewApiKey(await keyOf(request))
    }
  )

  scope.patch<{ Body: ApiKeyPatchBody }>(
    '/keys/:id',
    { schema: schemas.patchApiKeySchema, ...PERMISSIONS.manageKeys },
    async function renameKey (request): Promise<ApiKeyItem> {
      const before = await keyOf(request)
      assertNotAbove(before.role, adminOf(request).role)
      const after = orNotFound(await apiKeys.rename(before.orgId, before.id, request.body.name))
      const changes = after.name === before.name ? {} : { name: { from: before.name, to: after.name } }
      scope.audit({ action: 'key.updated', request, resourceType: 'key', resourceId: after.id, changes })
      return viewApiKey(after)
    }
  )

  scope.post<{ Body: RotateBody }>(
    '/keys/:id/rotate',
    { schema: schemas.rotateApiKeySchema, ...PERMISSIONS.manageKeys, ...optionalBody },
    async function rotateKey (request) {
      const { overlap_seconds } = request.body
      const { orgId, id, role } = await keyOf(request)
      // The caller receives the new key, and with it the role.
      assertNotAbove(role, adminOf(request).role)
      const { key, digest, prefix } = newKey()
      const overlapUntil = now() + overlap_seconds * 1000
      const rotated = orNotFound(await apiKeys.rotate(orgId, id, { digest, prefix, overlapUntil }))
      audit(request, 'key.rotated', rotated, { overlap_seconds })
      return { ...viewApiKey(rotated), key } satisfies ApiKeyWithSecret
    }
  )

  scope.delete(
    '/keys/:id',
    { schema: schemas.deleteApiKeySchema, ...PERMISSIONS.revokeKeys, ...optionalBody },
    async function revokeKey (request, reply) {
      const revoked = orNotFound(await apiKeys.revoke(adminOf(request).org_id, idOf(request.params)))
      audit(request, 'key.revoked', revoked, {})
      return reply.code(204).send()
    }
  )

  async function keyOf (request: FastifyRequest): Promise<ApiKey> {
    return orNotFound(await apiKeys.get(adminOf(request).org_id, idOf(request.params)))
  }

  function audit (
    request: FastifyRequest,
    action: string,
    { id, name, prefix }: ApiKey,
    changes: Record<string, unknown>
  ): void {
    scope.audit({ action, request, resourceType: 'key', resourceId: id, changes: { name, prefix, ...changes } })
  }
}

function newKey (): { key: string, digest: string, prefix: string } {
  const key = generateApiKey()
  return { key, digest: sha256Hex(key), prefix: apiKeyPrefix(key) }
}

function orNotFound (key: ApiKey | null): ApiKey {
  if (key === null) throw new NOT_FOUND()
  return key
}
