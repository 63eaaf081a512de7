import { Type } from '@sinclair/typebox'
import type { Static, TObject, TSchema } from '@sinclair/typebox'

/** The URN of errors, lists and PATCH requests (RFC 7644). */
export const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'
export const SCIM_LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const SCIM_PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

const tags = ['scim']
const open = { additionalProperties: true }
const params = Type.Object({ id: Type.String({ maxLength: 100 }) })
const Urns = Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20 })
const Done = Type.Null({ description: 'Done; no body' })

export const ScimErrorSchema = Type.Object({
  schemas: Urns,
  status: Type.String({ maxLength: 3, description: 'The status of the response' }),
  scimType: Type.Optional(Type.String({ maxLength: 32, description: 'The detail code of RFC 7644, section 3.12' })),
  detail: Type.String({ maxLength: 2_000 })
})
export type ScimError = Static<typeof ScimErrorSchema>

const ERRORS = {
  400: 'The request is not valid',
  401: 'The API key is missing or not valid',
  403: 'The API key may not do this',
  404: 'Not found in the organisation',
  409: 'A name or an email is taken, or the organisation would lose its last owner or exceed a limit',
  413: 'The body is too large',
  415: 'The media type or content encoding is not supported',
  429: 'Too many requests; retry after `Retry-After` seconds',
  500: 'Internal server error',
  503: 'Temporarily unavailable; retry after `Retry-After` seconds'
} as const

function scimErrors (...statuses: Array<keyof typeof ERRORS>): Record<number, TObject> {
  return Object.fromEntries(statuses.map((status) => [status, { ...ScimErrorSchema, description: ERRORS[status] }]))
}

const READ = scimErrors(400, 401, 403, 404, 429, 500, 503)
const WRITE = scimErrors(400, 401, 403, 404, 409, 413, 415, 429, 500, 503)

/** A user or group. The attributes are those of `/Schemas`; `attributes` in the query limits them. */
export const ScimResourceSchema = Type.Object({
  schemas: Type.Optional(Urns),
  id: Type.Optional(Type.String({ maxLength: 100 }))
}, open)
export type ScimResource = Static<typeof ScimResourceSchema> & Record<string, unknown>

export const ScimListSchema = Type.Object({
  schemas: Urns,
  totalResults: Type.Integer({ description: 'The number of all matching resources' }),
  startIndex: Type.Integer({ description: 'The number of the first resource of the page, from 1' }),
  itemsPerPage: Type.Integer({ description: 'The number of resources in the page' }),
  Resources: Type.Array(ScimResourceSchema, { maxItems: 200 })
})
export type ScimList = Omit<Static<typeof ScimListSchema>, 'Resources'> & { Resources: ScimResource[] }

const Index = (description: string) =>
  Type.Optional(Type.Integer({ minimum: -1_000_000_000, maximum: 1_000_000_000, description }))
const Names = (description: string) => Type.Optional(Type.String({ maxLength: 2_000, description }))

const projection = {
  attributes: Names('Names of the only attributes to return, separated by commas'),
  excludedAttributes: Names('Names of attributes to leave out, separated by commas')
}
export const ScimReadQuerySchema = Type.Object(projection)
export type ScimReadQuery = Static<typeof ScimReadQuerySchema>

export const ScimListQuerySchema = Type.Object({
  ...projection,
  filter: Type.Optional(Type.String({
    maxLength: 1_000,
    description: 'Comparisons by `eq`, `co`, `sw` and `pr`, joined by `and`: `userName eq "ann@example.com"`'
  })),
  startIndex: Index('The number of the first resource, from 1. Default: 1'),
  count: Index('Maximum number of resources. Default: 100; at most 200')
})
export type ScimListQuery = Static<typeof ScimListQuerySchema>

export const ScimUserBodySchema = Type.Object({
  schemas: Type.Optional(Urns),
  userName: Type.Optional(Type.Unknown({ description: 'Unique in the organisation' })),
  externalId: Type.Optional(Type.Unknown()),
  active: Type.Optional(Type.Unknown({ description: 'false ends the sessions of the user' })),
  emails: Type.Optional(Type.Unknown({ description: 'The primary work address is the email of the account' }))
}, open)
export type ScimUserBody = Static<typeof ScimUserBodySchema> & Record<string, unknown>

export const ScimGroupBodySchema = Type.Object({
  schemas: Type.Optional(Urns),
  displayName: Type.Optional(Type.Unknown({ description: 'Unique in the organisation' })),
  externalId: Type.Optional(Type.Unknown()),
  members: Type.Optional(Type.Unknown({ description: '`[{ "value": id of a user }]`, at most 5 000' }))
}, open)
export type ScimGroupBody = Static<typeof ScimGroupBodySchema> & Record<string, unknown>

const OperationSchema = Type.Object({
  op: Type.String({ maxLength: 16, description: '`add`, `replace` or `remove`, in any case' }),
  path: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1_000 })),
  value: Type.Optional(Type.Unknown())
}, open)
export type PatchOperation = Static<typeof OperationSchema>

export const ScimPatchBodySchema = Type.Object({
  schemas: Type.Optional(Urns),
  Operations: Type.Array(OperationSchema, { minItems: 1, maxItems: 5_000 })
}, open)
export type ScimPatchBody = Static<typeof ScimPatchBodySchema>

interface Things {
  name: 'User' | 'Group'
  thing: string
  body: TSchema
  patched: Record<number, TSchema>
}

function resourceSchemas ({ name, thing, body, patched }: Things) {
  const resource = { 200: ScimResourceSchema }
  return {
    list: {
      operationId: `listScim${name}s`,
      summary: `List the provisioned ${thing}s, oldest first`,
      tags,
      querystring: ScimListQuerySchema,
      response: { 200: ScimListSchema, ...READ }
    },
    create: {
      operationId: `createScim${name}`,
      summary: `Create a ${thing}`,
      tags,
      querystring: ScimReadQuerySchema,
      body,
      response: { 201: ScimResourceSchema, ...WRITE }
    },
    read: {
      operationId: `readScim${name}`,
      summary: `Read a ${thing}`,
      tags,
      params,
      querystring: ScimReadQuerySchema,
      response: { ...resource, ...READ }
    },
    replace: {
      operationId: `replaceScim${name}`,
      summary: `Replace a ${thing}`,
      tags,
      params,
      querystring: ScimReadQuerySchema,
      body,
      response: { ...resource, ...WRITE }
    },
    patch: {
      operationId: `patchScim${name}`,
      summary: `Change a ${thing}`,
      tags,
      params,
      querystring: ScimReadQuerySchema,
      body: ScimPatchBodySchema,
      response: { ...patched, ...WRITE }
    },
    remove: {
      operationId: `deleteScim${name}`,
      summary: `Delete a ${thing}`,
      tags,
      params,
      response: { 204: Done, ...WRITE }
    }
  } as const
}

export const scimUserSchemas = resourceSchemas({
  name: 'User', thing: 'user', body: ScimUserBodySchema, patched: { 200: ScimResourceSchema }
})
export const scimGroupSchemas = resourceSchemas({
  name: 'Group', thing: 'group', body: ScimGroupBodySchema, patched: { 204: Done }
})

function discoverySchema (operationId: string, summary: string, reply: TSchema, params?: TSchema) {
  return { operationId, summary, tags, ...params === undefined ? {} : { params }, response: { 200: reply, ...READ } }
}

export const scimConfigSchema = discoverySchema('readScimConfig', 'Read what the server supports', ScimResourceSchema)
export const scimTypesSchema = discoverySchema('listScimResourceTypes', 'List the types of resources', ScimListSchema)
export const scimTypeSchema = discoverySchema('readScimResourceType', 'Read a type of resources', ScimResourceSchema, params)
export const scimSchemasSchema = discoverySchema('listScimSchemas', 'List the schemas of the resources', ScimListSchema)
export const scimSchemaSchema = discoverySchema('readScimSchema', 'Read a schema', ScimResourceSchema, params)
