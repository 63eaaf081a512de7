import { randomBytes } from 'node:crypto'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT, INVALID_REQUEST, NOT_FOUND } from '../../../lib/errors.js'
import type { SsoDomain } from '../../../contracts/token-store/index.js'
import { ssoSchemas } from '../../../schemas/admin-sso.js'
import type { DomainItem, DomainPatchBody, NewDomainBody } from '../../../schemas/admin-sso.js'
import type { PageQuery } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { pageReply } from '../api/page-reply.js'
import { readPage } from '../api/page-request.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { domainNameOf } from './domain-name.js'
import { txtRecordOf } from './domain-proof.js'

interface DomainRouteParts {
  /** Maximum domains per organisation. */
  quota: number
  isProved: (domain: SsoDomain) => Promise<boolean>
  /** Whether an organisation has an enabled provider. */
  hasProvider: (orgId: string) => Promise<boolean>
}

const TOKEN_BYTES = 24

/** Registers the routes of email domains. A domain of another organisation is 404. */
export function domainRoutes (scope: FastifyInstance, { quota, isProved, hasProvider }: DomainRouteParts): void {
  const { ssoDomains } = scope.tokenStore

  scope.post<{ Body: NewDomainBody }>(
    '/sso-domains',
    { schema: ssoSchemas.createDomain, ...PERMISSIONS.changeSso },
    async function addDomain (request, reply): Promise<DomainItem> {
      const name = domainNameOf(request.body.domain)
      if (name === null) {
        throw new INVALID_REQUEST({ details: [{ path: '/domain', message: 'must be a domain such as example.com' }] })
      }
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      const domain = await ssoDomains.add({ orgId: adminOf(request).org_id, domain: name, token, quota })
      audit(request, 'sso.domain_added', domain)
      reply.code(201)
      return viewDomain(domain)
    }
  )

  scope.get<{ Querystring: PageQuery }>(
    '/sso-domains',
    { schema: ssoSchemas.listDomains, ...PERMISSIONS.readSso },
    async function listDomains (request) {
      return pageReply(await readPage(request, (page) => ssoDomains.list(adminOf(request).org_id, page)), viewDomain)
    }
  )

  scope.get(
    '/sso-domains/:id',
    { schema: ssoSchemas.readDomain, ...PERMISSIONS.readSso },
    async function readDomain (request): Promise<DomainItem> {
      return viewDomain(await domainOf(request))
    }
  )

  scope.post(
    '/sso-domains/:id/verify',
    { schema: ssoSchemas.verifyDomain, ...PERMISSIONS.changeSso, ...optionalBody },
    async function verifyDomain (request): Promise<DomainItem> {
      const domain = await domainOf(request)
      if (domain.verifiedAt !== null) return viewDomain(domain)
      if (!await isProved(domain)) {
        throw new CONFLICT({ message: 'The TXT record was not found; it can take an hour until it is visible' })
      }
      const verified = orNotFound(await ssoDomains.verify(domain.orgId, domain.id))
      audit(request, 'sso.domain_verified', verified)
      return viewDomain(verified)
    }
  )

  scope.patch<{ Body: DomainPatchBody }>(
    '/sso-domains/:id',
    { schema: ssoSchemas.patchDomain, ...PERMISSIONS.changeSso },
    async function patchDomain (request): Promise<DomainItem> {
      const { sso } = request.body
      const domain = await domainOf(request)
      if (sso === 'required' && domain.verifiedAt === null) {
        throw new CONFLICT({ message: 'Prove the domain before you require single sign-on' })
      }
      if (sso === 'required' && !await hasProvider(domain.orgId)) {
        throw new CONFLICT({ message: 'Add an enabled identity provider before you require single sign-on' })
      }
      const changed = orNotFound(await ssoDomains.update(domain.orgId, domain.id, { sso }))
      if (sso !== domain.sso) audit(request, 'sso.domain_updated', changed, { sso: { from: domain.sso, to: sso } })
      return viewDomain(changed)
    }
  )

  scope.delete(
    '/sso-domains/:id',
    { schema: ssoSchemas.deleteDomain, ...PERMISSIONS.changeSso, ...optionalBody },
    async function deleteDomain (request, reply) {
      const removed = orNotFound(await ssoDomains.remove(adminOf(request).org_id, idOf(request.params)))
      audit(request, 'sso.domain_removed', removed)
      return reply.code(204).send()
    }
  )

  async function domainOf (request: FastifyRequest): Promise<SsoDomain> {
    return orNotFound(await ssoDomains.get(adminOf(request).org_id, idOf(request.params)))
  }

  function audit (
    request: FastifyRequest,
    action: string,
    { id, domain }: SsoDomain,
    changes: Record<string, unknown> = {}
  ): void {
    scope.audit({ action, request, resourceType: 'sso_domain', resourceId: id, changes: { domain, ...changes } })
  }
}

function viewDomain (domain: SsoDomain): DomainItem {
  const { name, value } = txtRecordOf(domain)
  return {
    id: domain.id,
    domain: domain.domain,
    sso: domain.sso,
    verified_at: domain.verifiedAt === null ? null : new Date(domain.verifiedAt).toISOString(),
    txt_name: name,
    txt_value: value,
    created_at: new Date(domain.createdAt).toISOString()
  }
}

function orNotFound (domain: SsoDomain | null): SsoDomain {
  if (domain === null) throw new NOT_FOUND()
  return domain
}
