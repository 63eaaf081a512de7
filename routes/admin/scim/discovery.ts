import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import * as schemas from '../../../schemas/scim.js'
import type { ScimResource } from '../../../schemas/scim.js'
import { PERMISSIONS } from '../permissions.js'
import {
  ENTERPRISE_ATTRIBUTES, ENTERPRISE_URN, GROUP_ATTRIBUTES, GROUP_URN, READ_ONLY_ATTRIBUTES, USER_ATTRIBUTES,
  USER_URN
} from './attributes.js'
import type { AttributeTable } from './attributes.js'
import { listReply, MAX_COUNT } from './queries.js'
import type { Locate } from './resources.js'

const CONFIG_URN = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'
const TYPE_URN = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
const SCHEMA_URN = 'urn:ietf:params:scim:schemas:core:2.0:Schema'

/** Registers the routes that tell what the server supports (RFC 7644, section 4). */
export function discoveryRoutes (scope: FastifyInstance, locate: Locate): void {
  scope.get(
    '/ServiceProviderConfig',
    { schema: schemas.scimConfigSchema, ...PERMISSIONS.manageScim },
    async function readScimConfig (request): Promise<ScimResource> {
      return { ...CONFIG, meta: meta('ServiceProviderConfig', locate(request, '/ServiceProviderConfig')) }
    }
  )

  for (const [path, all, schema, one] of [
    ['/ResourceTypes', TYPES, schemas.scimTypesSchema, schemas.scimTypeSchema],
    ['/Schemas', SCHEMAS, schemas.scimSchemasSchema, schemas.scimSchemaSchema]
  ] as const) {
    const resourceType = path.slice(1, -1)

    scope.get(path, { schema, ...PERMISSIONS.manageScim }, async function listDiscovery (request) {
      const resources = all.map((item) => ({ ...item, meta: meta(resourceType, locate(request, `${path}/${item.id}`)) }))
      return listReply(resources, resources.length)
    })

    scope.get(`${path}/:id`, { schema: one, ...PERMISSIONS.manageScim }, async function readDiscovery (request) {
      const { id } = request.params as { id: string }
      const item = all.find((each) => each.id === id)
      if (item === undefined) throw new NOT_FOUND()
      return { ...item, meta: meta(resourceType, locate(request, `${path}/${item.id}`)) }
    })
  }
}

function meta (resourceType: string, location: string) {
  return { resourceType, location }
}

const CONFIG = {
  schemas: [CONFIG_URN],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_COUNT },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [{
    type: 'oauthbearertoken',
    name: 'API key',
    description: 'An API key with the permission scim:manage, as a Bearer token',
    primary: true
  }]
}

const TYPES = [
  {
    schemas: [TYPE_URN],
    id: 'User',
    name: 'User',
    endpoint: '/Users',
    description: 'The provisioned members of the organisation',
    schema: USER_URN,
    schemaExtensions: [{ schema: ENTERPRISE_URN, required: false }]
  },
  {
    schemas: [TYPE_URN],
    id: 'Group',
    name: 'Group',
    endpoint: '/Groups',
    description: 'The groups of the directory',
    schema: GROUP_URN,
    schemaExtensions: []
  }
]

const SCHEMAS = [
  schemaOf(USER_URN, 'User', 'A provisioned member', { ...USER_ATTRIBUTES, ...READ_ONLY_ATTRIBUTES }),
  schemaOf(ENTERPRISE_URN, 'EnterpriseUser', 'The place of a user in an enterprise', ENTERPRISE_ATTRIBUTES),
  schemaOf(GROUP_URN, 'Group', 'A group of the directory', GROUP_ATTRIBUTES)
]

function schemaOf (id: string, name: string, description: string, table: AttributeTable) {
  return { schemas: [SCHEMA_URN], id, name, description, attributes: describe(table) }
}

function describe (table: AttributeTable): object[] {
  return Object.entries(table).map(([name, attribute]) => ({
    name,
    type: attribute.type,
    multiValued: attribute.multiValued === true,
    description: attribute.description,
    required: attribute.required === true,
    caseExact: attribute.caseExact === true,
    mutability: attribute.readOnly === true ? 'readOnly' : 'readWrite',
    returned: 'default',
    uniqueness: attribute.uniqueness ?? 'none',
    ...attribute.type === 'reference' ? { referenceTypes: ['external'] } : {},
    ...attribute.sub === undefined ? {} : { subAttributes: describe(attribute.sub) }
  }))
}
