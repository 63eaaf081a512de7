import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_REQUEST, NOT_FOUND } from '../../../lib/errors.js'
import type { IdentityProvider, IdentityProviderPatch, ProviderKind } from '../../../contracts/token-store/index.js'
import { ssoSchemas } from '../../../schemas/admin-sso.js'
import type {
  NewProviderBody, ProviderItem, ProviderPatchBody, RotateProviderSecretBody
} from '../../../schemas/admin-sso.js'
import type { PageQuery } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { pageReply } from '../api/page-reply.js'
import { readPage } from '../api/page-request.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { DEFAULT_ROLES } from './providers.js'
import type { ProtocolParts, Providers } from './providers.js'

interface ProviderRouteParts {
  providers: Providers
  /** Maximum identity providers per organisation. */
  quota: number
  now: () => number
}

/** Registers the routes of an organisation's identity providers. A provider of another organisation is 404. */
export function providerRoutes (scope: FastifyInstance, { providers, quota, now }: ProviderRouteParts): void {
  const { identityProviders } = scope.tokenStore

  scope.post<{ Body: NewProviderBody }>(
    '/identity-providers',
    { schema: ssoSchemas.createProvider, ...PERMISSIONS.changeSso },
    async function createProvider (request, reply): Promise<ProviderItem> {
      const { kind, name, enabled, secret = null, roles = DEFAULT_ROLES } = request.body
      const { protocol, checkSettings } = protocolOf(kind)
      const settings = checkSettings(request.body.settings)
      protocol.checkSecret(secret, settings)
      const { org_id: orgId } = adminOf(request)
      const provider = await identityProviders.create({ orgId, kind, name, enabled, settings, secret, roles, quota })
      audit(request, 'sso.provider_created', provider, { enabled, settings, roles })
      reply.code(201)
      return view(provider)
    }
  )

  scope.get<{ Querystring: PageQuery }>(
    '/identity-providers',
    { schema: ssoSchemas.listProviders, ...PERMISSIONS.readSso },
    async function listProviders (request) {
      return pageReply(await readPage(request, (page) => identityProviders.list(adminOf(request).org_id, page)), view)
    }
  )

  scope.get(
    '/identity-providers/:id',
    { schema: ssoSchemas.readProvider, ...PERMISSIONS.readSso },
    async function readProvider (request): Promise<ProviderItem> {
      return view(await providerOf(request))
    }
  )

  scope.patch<{ Body: ProviderPatchBody }>(
    '/identity-providers/:id',
    { schema: ssoSchemas.patchProvider, ...PERMISSIONS.changeSso },
    async function patchProvider (request): Promise<ProviderItem> {
      const before = await providerOf(request)
      const patch = patchOf(before, request.body)
      if (patch.settings !== undefined) assertSameIssuer(before, patch.settings)
      const after = orNotFound(await identityProviders.update(before.orgId, before.id, patch))
      const changed = (['name', 'enabled', 'settings', 'roles'] as const).filter((member) =>
        JSON.stringify(before[member]) !== JSON.stringify(after[member])
      )
      const changes = Object.fromEntries(changed.map((member) => [member, { from: before[member], to: after[member] }]))
      if (changed.length > 0) audit(request, 'sso.provider_updated', after, changes)
      return view(after)
    }
  )

  scope.post<{ Body: RotateProviderSecretBody }>(
    '/identity-providers/:id/rotate-secret',
    { schema: ssoSchemas.rotateProviderSecret, ...PERMISSIONS.changeSso },
    async function rotateProviderSecret (request): Promise<ProviderItem> {
      const { secret, overlap_seconds } = request.body
      const { orgId, id, kind, settings } = await providerOf(request)
      protocolOf(kind).protocol.checkSecret(secret, settings)
      const overlapUntil = now() + overlap_seconds * 1000
      const rotated = orNotFound(await identityProviders.rotateSecret(orgId, id, { secret, overlapUntil }))
      audit(request, 'sso.provider_secret_rotated', rotated, { overlap_seconds })
      return view(rotated)
    }
  )

  scope.delete(
    '/identity-providers/:id',
    { schema: ssoSchemas.deleteProvider, ...PERMISSIONS.changeSso, ...optionalBody },
    async function deleteProvider (request, reply) {
      const deleted = orNotFound(await identityProviders.delete(adminOf(request).org_id, idOf(request.params)))
      audit(request, 'sso.provider_deleted', deleted)
      return reply.code(204).send()
    }
  )

  function protocolOf (kind: ProviderKind): ProtocolParts {
    const parts = providers.protocolOf(kind)
    if (parts !== null) return parts
    throw new INVALID_REQUEST({ details: [{ path: '/kind', message: `this server does not support ${kind}` }] })
  }

  function patchOf (
    before: IdentityProvider,
    { name, enabled, settings, roles }: ProviderPatchBody
  ): IdentityProviderPatch {
    const merged = Object.entries({ ...before.settings, ...settings }).filter(([, value]) => value !== null)
    return {
      ...name === undefined ? {} : { name },
      ...enabled === undefined ? {} : { enabled },
      ...settings === undefined ? {} : { settings: protocolOf(before.kind).checkSettings(Object.fromEntries(merged)) },
      ...roles === undefined ? {} : { roles }
    }
  }

  /** The people of another issuer are other people, also with the same subjects. */
  function assertSameIssuer ({ kind, settings: before }: IdentityProvider, after: Record<string, unknown>): void {
    const { issuerSetting: name } = protocolOf(kind).protocol
    if (after[name] === before[name]) return
    const message = 'cannot be changed; add another provider'
    throw new INVALID_REQUEST({ details: [{ path: `/settings/${name}`, message }] })
  }

  async function providerOf (request: FastifyRequest): Promise<IdentityProvider> {
    return orNotFound(await identityProviders.get(adminOf(request).org_id, idOf(request.params)))
  }

  function view ({ id, kind, name, enabled, settings, roles, createdAt, updatedAt }: IdentityProvider): ProviderItem {
    return {
      id,
      kind,
      name,
      enabled,
      settings,
      roles: { ...roles, mapping: [...roles.mapping] },
      warnings: providers.protocolOf(kind)?.protocol.warningsOf?.(settings) ?? [],
      urls: providers.protocolOf(kind)?.protocol.urlsOf(id) ?? {},
      created_at: new Date(createdAt).toISOString(),
      updated_at: new Date(updatedAt).toISOString()
    }
  }

  function audit (
    request: FastifyRequest,
    action: string,
    { id, name, kind }: IdentityProvider,
    changes: Record<string, unknown> = {}
  ): void {
    scope.audit({
      action,
      request,
      resourceType: 'identity_provider',
      resourceId: id,
      changes: { name, kind, ...changes }
    })
  }
}

function orNotFound (provider: IdentityProvider | null): IdentityProvider {
  if (provider === null) throw new NOT_FOUND()
  return provider
}
