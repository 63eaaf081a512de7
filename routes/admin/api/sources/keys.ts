import type { FastifyInstance, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../../lib/errors.js'
import type { SourceKey } from '../../../../contracts/token-store/index.js'
import type { RotateBody } from '../../../../schemas/source.js'
import * as schemas from '../../../../schemas/source-key.js'
import type { NewSourceKeyBody, SourceKeyItem, SourceKeyPatchBody } from '../../../../schemas/source-key.js'
import { generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import { callerOf } from '../../admin-scope.js'
import { PERMISSIONS } from '../../permissions.js'
import { idOf, optionalBody } from '../../request.js'
import { keyChanges, keyPatchOf, newSourceKeyOf, viewSourceKey } from './key-fields.js'

export interface SourceKeyRouteSettings {
  now: () => number
  /** Maximum named keys of a source. */
  quota: number
}

/** Registers the routes of the pipeline keys of sources. Sources of other organisations are 404. */
export function sourceKeyRoutes (scope: FastifyInstance, { now, quota }: SourceKeyRouteSettings): void {
  const { sources, sourceKeys } = scope.tokenStore

  scope.post<{ Body: NewSourceKeyBody }>(
    '/sources/:id/keys',
    { schema: schemas.createSourceKeySchema, ...PERMISSIONS.rotateSources },
    async function createSourceKey (request, reply) {
      const { org_id } = callerOf(request)
      const id = idOf(request.params)
      const { environment } = orNotFound(await sources.get(org_id, id))
      const fresh = newSourceKeyOf(environment, request.body, now())
      const key = orNotFound(await sourceKeys.create(org_id, id, { ...fresh, quota }))
      const { name, domains, enabled, expires_at } = viewSourceKey(key)
      audit(request, 'source.key_created', key, { name, domains, enabled, expires_at })
      reply.code(201)
      return viewSourceKey(key)
    }
  )

  scope.get(
    '/sources/:id/keys',
    { schema: schemas.listSourceKeysSchema, ...PERMISSIONS.readSources },
    async function listSourceKeys (request) {
      const keys = orNotFound(await sourceKeys.list(callerOf(request).org_id, idOf(request.params)))
      return { data: keys.map(viewSourceKey) }
    }
  )

  scope.get(
    '/sources/:id/keys/:key_id',
    { schema: schemas.readSourceKeySchema, ...PERMISSIONS.readSources },
    async function readSourceKey (request): Promise<SourceKeyItem> {
      return viewSourceKey(orNotFound(await sourceKeys.get(...pathOf(request))))
    }
  )

  scope.patch<{ Body: SourceKeyPatchBody }>(
    '/sources/:id/keys/:key_id',
    { schema: schemas.patchSourceKeySchema, ...PERMISSIONS.rotateSources },
    async function patchSourceKey (request): Promise<SourceKeyItem> {
      const path = pathOf(request)
      const patch = keyPatchOf(request.body, now())
      const before = orNotFound(await sourceKeys.get(...path))
      const after = orNotFound(await sourceKeys.update(...path, patch))
      audit(request, 'source.key_updated', after, keyChanges(before, after))
      return viewSourceKey(after)
    }
  )

  scope.delete(
    '/sources/:id/keys/:key_id',
    { schema: schemas.deleteSourceKeySchema, ...PERMISSIONS.rotateSources, ...optionalBody },
    async function deleteSourceKey (request, reply) {
      const key = orNotFound(await sourceKeys.delete(...pathOf(request)))
      audit(request, 'source.key_deleted', key, { name: key.name })
      return reply.code(204).send()
    }
  )

  scope.post<{ Body: RotateBody }>(
    '/sources/:id/keys/:key_id/rotate',
    { schema: schemas.rotateSourceKeySchema, ...PERMISSIONS.rotateSources, ...optionalBody },
    async function rotateSourceKey (request): Promise<SourceKeyItem> {
      const [orgId, id, keyId] = pathOf(request)
      const { environment } = orNotFound(await sources.get(orgId, id))
      const { overlap_seconds } = request.body
      const next = { pipelineKey: generatePipelineKey(environment), overlapUntil: now() + overlap_seconds * 1000 }
      const key = orNotFound(await sourceKeys.rotate(orgId, id, keyId, next))
      audit(request, 'source.key_rotated', key, { name: key.name, overlap_seconds })
      return viewSourceKey(key)
    }
  )

  function pathOf (request: FastifyRequest): [orgId: string, sourceId: string, keyId: string] {
    return [callerOf(request).org_id, idOf(request.params), idOf(request.params, 'key_id')]
  }

  function audit (request: FastifyRequest, action: string, key: SourceKey, changes: Record<string, unknown>): void {
    const { sourceId, id } = key
    scope.audit({ action, request, resourceType: 'source', resourceId: sourceId, changes: { key_id: id, ...changes } })
  }
}

function orNotFound<Found> (found: Found | null): Found {
  if (found === null) throw new NOT_FOUND()
  return found
}
