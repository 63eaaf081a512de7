import type { FastifyInstance, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../../lib/errors.js'
import type { Source } from '../../../../contracts/token-store/index.js'
import type { PageQuery } from '../../../../schemas/page.js'
import * as schemas from '../../../../schemas/source.js'
import type {
  NewSourceBody, RotateBody, SourceItem, SourcePatchBody,
  SourceWithSecret
} from '../../../../schemas/source.js'
import { generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import { generateServerSecret } from '../../../../signing/datafly/server-secret.js'
import { callerOf } from '../../admin-scope.js'
import { idOf, optionalBody } from '../../request.js'
import { pageReply } from '../page-reply.js'
import { readPage } from '../page-request.js'
import { PERMISSIONS } from '../../permissions.js'
import { changesOf, newSourceOf, patchOf, viewSource } from './fields.js'

export interface SourceRouteSettings {
  now: () => number
  /** Accepts a server secret that is short or publicly known. */
  allowWeakSecret: boolean
  /** Maximum sources of an organisation without `maxSources`. */
  quota: number
}

/** Registers the source routes. All look-ups are limited to the caller's organisation: other sources are 404. */
export function sourceRoutes (scope: FastifyInstance, { now, allowWeakSecret, quota }: SourceRouteSettings): void {
  const { organisations, sources } = scope.tokenStore

  scope.post<{ Body: NewSourceBody }>(
    '/sources',
    { schema: schemas.createSourceSchema, ...PERMISSIONS.createSources },
    async function createSource (request, reply) {
      const { org_id } = callerOf(request)
      const fields = newSourceOf(org_id, allowWeakSecret, request.body)
      const organisation = await organisations.get(org_id)
      const source = await sources.create({ ...fields, quota: organisation?.maxSources ?? quota })
      const {
        id: _id,
        server_secret_prefix: _prefix,
        created_at: _created,
        updated_at: _updated,
        pipeline_key: _key,
        ...settings
      } = viewSource(source)
      audit(request, 'source.created', source.id, settings)
      reply.code(201)
      return { ...viewSource(source), server_secret: fields.serverSecret } satisfies SourceWithSecret
    }
  )

  scope.get<{ Querystring: PageQuery }>(
    '/sources',
    { schema: schemas.listSourcesSchema, ...PERMISSIONS.readSources },
    async function listSources (request) {
      return pageReply(await readPage(request, (page) => sources.list(callerOf(request).org_id, page)), viewSource)
    }
  )

  scope.get(
    '/sources/:id',
    { schema: schemas.readSourceSchema, ...PERMISSIONS.readSources },
    async function readSource (request): Promise<SourceItem> {
      return viewSource(orNotFound(await sources.get(callerOf(request).org_id, idOf(request.params))))
    }
  )

  scope.patch<{ Body: SourcePatchBody }>('/sources/:id', {
    schema: schemas.patchSourceSchema,
    ...PERMISSIONS.changeSources
  }, async function patchSource (request) {
    const { org_id } = callerOf(request)
    const id = idOf(request.params)
    const patch = patchOf(request.body)
    const before = orNotFound(await sources.get(org_id, id))
    if (patch.environment !== undefined && patch.environment !== before.environment) {
      // The prefix of a key names its environment, so the old key must not write events of the new environment.
      orNotFound(
        await sources.rotateKey(org_id, id, {
          pipelineKey: generatePipelineKey(patch.environment),
          overlapUntil: now()
        })
      )
      audit(request, 'source.key_rotated', id, { overlap_seconds: 0 })
    }
    const after = orNotFound(await sources.update(org_id, id, patch))
    audit(request, 'source.updated', id, changesOf(before, after))
    return viewSource(after)
  })

  scope.delete(
    '/sources/:id',
    { schema: schemas.deleteSourceSchema, ...PERMISSIONS.deleteSources, ...optionalBody },
    async function deleteSource (request, reply) {
      const { org_id } = callerOf(request)
      const id = idOf(request.params)
      const { name } = orNotFound(await sources.get(org_id, id))
      if (!await sources.delete(org_id, id)) throw new NOT_FOUND()
      audit(request, 'source.deleted', id, { name })
      return reply.code(204).send()
    }
  )

  scope.post<{ Body: RotateBody }>('/sources/:id/rotate-key', {
    schema: schemas.rotateKeySchema,
    ...PERMISSIONS.rotateSources,
    ...optionalBody
  }, async function rotateKey (request) {
    const { org_id } = callerOf(request)
    const id = idOf(request.params)
    const { environment } = orNotFound(await sources.get(org_id, id))
    const next = { pipelineKey: generatePipelineKey(environment), overlapUntil: overlapUntil(request.body) }
    const source = orNotFound(await sources.rotateKey(org_id, id, next))
    audit(request, 'source.key_rotated', id, { overlap_seconds: request.body.overlap_seconds })
    return viewSource(source)
  })

  scope.post<{ Body: RotateBody }>('/sources/:id/rotate-secret', {
    schema: schemas.rotateSecretSchema,
    ...PERMISSIONS.rotateSources,
    ...optionalBody
  }, async function rotateSecret (request) {
    const id = idOf(request.params)
    const next = { serverSecret: generateServerSecret(), overlapUntil: overlapUntil(request.body) }
    const source = orNotFound(await sources.rotateSecret(callerOf(request).org_id, id, next))
    audit(request, 'source.secret_rotated', id, { overlap_seconds: request.body.overlap_seconds })
    return { ...viewSource(source), server_secret: next.serverSecret } satisfies SourceWithSecret
  })

  function overlapUntil ({ overlap_seconds }: RotateBody): number {
    return now() + overlap_seconds * 1000
  }

  function audit (request: FastifyRequest, action: string, id: string, changes?: Record<string, unknown>): void {
    scope.audit({ action, request, resourceType: 'source', resourceId: id, changes })
  }
}

function orNotFound (source: Source | null): Source {
  if (source === null) throw new NOT_FOUND()
  return source
}
