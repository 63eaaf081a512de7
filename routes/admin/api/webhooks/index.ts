import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { DeliveryTrial } from '../../../../contracts/delivery-trial.js'
import { NOT_FOUND } from '../../../../lib/errors.js'
import type { PageQuery } from '../../../../schemas/page.js'
import * as schemas from '../../../../schemas/webhook.js'
import type {
  NewWebhookBody, RotateWebhookSecretBody, WebhookItem, WebhookPatchBody, WebhookTestBody, WebhookTestReply,
  WebhookWithSecret
} from '../../../../schemas/webhook.js'
import { callerOf } from '../../admin-scope.js'
import { idOf, optionalBody } from '../../request.js'
import { pageReply } from '../page-reply.js'
import { readPage } from '../page-request.js'
import { PERMISSIONS } from '../../permissions.js'
import { newWebhookOf, secretOf, settingsOf, viewWebhook, webhookChanges } from './fields.js'

const ALL = '/sources/:id/webhooks'
const ONE = `${ALL}/:wid`

export interface WebhookRouteSettings {
  now: () => number
  /** Maximum webhooks per organisation. */
  quota: number
}

/** Registers the webhook routes. Each webhook belongs to a source; a source of another organisation is 404. */
export function webhookRoutes (scope: FastifyInstance, { now, quota }: WebhookRouteSettings): void {
  const { sources, webhooks } = scope.tokenStore

  scope.post<{ Body: NewWebhookBody }>(ALL, {
    schema: schemas.createWebhookSchema,
    ...PERMISSIONS.createWebhooks
  }, async function createWebhook (request, reply) {
    const [org, source] = sourceOf(request)
    const { fields, generated } = newWebhookOf(request.body)
    const webhook = orNotFound(await webhooks.create(org, source, { ...fields, quota }))
    const { id, secret_prefix: _prefix, created_at: _created, updated_at: _updated, ...settings } = viewWebhook(webhook)
    audit(request, 'webhook.created', id, settings)
    reply.code(201)
    return { ...viewWebhook(webhook), ...generated } satisfies WebhookWithSecret
  })

  scope.get<{ Querystring: PageQuery }>(
    ALL,
    { schema: schemas.listWebhooksSchema, ...PERMISSIONS.readWebhooks },
    async function listWebhooks (request) {
      return pageReply(
        await readPage(request, async (page) => orNotFound(await webhooks.list(...sourceOf(request), page))),
        viewWebhook
      )
    }
  )

  scope.get(
    ONE,
    { schema: schemas.readWebhookSchema, ...PERMISSIONS.readWebhooks },
    async function readWebhook (request): Promise<WebhookItem> {
      return viewWebhook(orNotFound(await webhooks.get(...webhookOf(request))))
    }
  )

  scope.patch<{ Body: WebhookPatchBody }>(
    ONE,
    { schema: schemas.patchWebhookSchema, ...PERMISSIONS.changeWebhooks },
    async function patchWebhook (request) {
      const at = webhookOf(request)
      const before = orNotFound(await webhooks.get(...at))
      const after = orNotFound(await webhooks.update(...at, settingsOf(before.provider, request.body)))
      audit(request, 'webhook.updated', after.id, { source_id: after.sourceId, ...webhookChanges(before, after) })
      return viewWebhook(after)
    }
  )

  scope.delete(
    ONE,
    { schema: schemas.deleteWebhookSchema, ...PERMISSIONS.deleteWebhooks, ...optionalBody },
    async function deleteWebhook (request, reply) {
      const [org, source, id] = webhookOf(request)
      const { name } = orNotFound(await webhooks.get(org, source, id))
      if (!await webhooks.delete(org, source, id)) throw new NOT_FOUND()
      audit(request, 'webhook.deleted', id, { name, source_id: source })
      return reply.code(204).send()
    }
  )

  scope.post<{ Body: RotateWebhookSecretBody }>(`${ONE}/rotate-secret`, {
    schema: schemas.rotateWebhookSecretSchema,
    ...PERMISSIONS.rotateWebhooks,
    ...optionalBody
  }, async function rotateWebhookSecret (request) {
    const at = webhookOf(request)
    const { overlap_seconds, secret: given } = request.body
    const { provider } = orNotFound(await webhooks.get(...at))
    const { secret } = secretOf(provider, given)
    const webhook = orNotFound(
      await webhooks.rotateSecret(...at, { secret, overlapUntil: now() + overlap_seconds * 1000 })
    )
    audit(request, 'webhook.secret_rotated', webhook.id, { source_id: webhook.sourceId, overlap_seconds })
    return { ...viewWebhook(webhook), ...(given === undefined ? { secret } : {}) } satisfies WebhookWithSecret
  })

  scope.post<{ Body: WebhookTestBody }>(
    `${ONE}/test`,
    { schema: schemas.testWebhookSchema, ...PERMISSIONS.testWebhooks },
    async function testWebhook (request): Promise<WebhookTestReply> {
      const [org, id, wid] = webhookOf(request)
      const webhook = orNotFound(await webhooks.get(org, id, wid))
      const source = orNotFound(await sources.get(org, id))
      const { body, headers = {}, mapping } = request.body
      const tried = mapping === undefined ? webhook : { ...webhook, ...settingsOf(webhook.provider, { mapping }) }
      const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
      return trialOf(scope).tryDelivery(tried, source, { body, headers: Object.fromEntries(lowered) })
    }
  )

  function audit (request: FastifyRequest, action: string, id: string, changes: Record<string, unknown>): void {
    scope.audit({ action, request, resourceType: 'webhook', resourceId: id, changes })
  }
}

function trialOf (scope: FastifyInstance): DeliveryTrial {
  if (scope.hasDecorator('deliveryTrial')) return scope.deliveryTrial
  throw new NOT_FOUND({ message: 'This server does not accept events, so a delivery cannot be tried' })
}

function sourceOf (request: FastifyRequest): [orgId: string, sourceId: string] {
  return [callerOf(request).org_id, idOf(request.params)]
}

function webhookOf (request: FastifyRequest): [orgId: string, sourceId: string, id: string] {
  return [...sourceOf(request), idOf(request.params, 'wid')]
}

function orNotFound<Thing> (thing: Thing | null): Thing {
  if (thing === null) throw new NOT_FOUND()
  return thing
}
