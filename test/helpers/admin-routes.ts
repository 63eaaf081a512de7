import Fastify from 'fastify'
import type { FastifyInstance, RouteOptions } from 'fastify'

import type { AdminDemand } from '../../plugins/admin-guard/index.js'
import tokenStore from '../../plugins/token-store/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'
import adminApi from '../../routes/admin/api/index.js'
import adminKeys from '../../routes/admin/keys/index.js'
import adminAuth from '../../routes/admin/auth/index.js'
import adminMfa from '../../routes/admin/mfa/index.js'
import scim from '../../routes/admin/scim/index.js'
import adminOidc from '../../routes/admin/oidc/index.js'
import adminSaml from '../../routes/admin/saml/index.js'
import adminUsers from '../../routes/admin/users/index.js'
import { SECRET, cheapPasswords } from './admin.js'

export interface AdminRoute {
  method: string
  /** Below `/v1/admin`. */
  path: string
  demand: AdminDemand
  /** The members of the body and of the query that the route's schema has. */
  body: string[]
  query: string[]
}

interface ObjectSchema {
  properties?: Record<string, unknown>
}

/** Collects the routes of administrators that are added to the app from now on. */
export function collectAdminRoutes (app: FastifyInstance): AdminRoute[] {
  const routes: AdminRoute[] = []
  app.addHook('onRoute', ({ method, url, config, schema }: RouteOptions) => {
    if (!url.startsWith('/v1/admin/') || method === 'HEAD' || method === 'OPTIONS') return
    routes.push({
      method: String(method),
      path: url.replace('/v1/admin', ''),
      demand: config?.gatehouse?.admin ?? false,
      body: Object.keys((schema?.body as ObjectSchema | undefined)?.properties ?? {}),
      query: Object.keys((schema?.querystring as ObjectSchema | undefined)?.properties ?? {})
    })
  })
  return routes
}

/** The roles that may send a field on a route; without `field`, those that may call it. */
export function rolesFor ({ demand }: Pick<AdminRoute, 'demand'>, field?: string): readonly Role[] {
  if (typeof demand === 'boolean') return ROLES
  return (field === undefined ? undefined : demand.fields?.[field]) ?? demand.roles
}

/** Registers every plugin of administrators. */
export async function registerAdmin (app: FastifyInstance): Promise<void> {
  await app.register(tokenStore, { store: memoryStore(), sweepEvery: 0 })
  await app.register(adminAuth, { jwtSecrets: [SECRET], passwords: await cheapPasswords(), cookie: 'on-request' })
  await app.register(adminMfa, {
    jwtSecrets: [SECRET],
    passkeys: { rpId: 'example.com', origins: ['https://example.com'] }
  })
  await app.register(adminApi, { jwtSecrets: [SECRET] })
  await app.register(adminKeys, { jwtSecrets: [SECRET] })
  await app.register(adminUsers, {
    jwtSecrets: [SECRET],
    linkUrl: 'https://app.example.com/account',
    sendMail: async () => {}
  })
  await app.register(scim, { jwtSecrets: [SECRET] })
  const sso = { jwtSecrets: [SECRET], publicUrl: 'https://gate.example.com', loginPage: '/sign-in' }
  await app.register(adminOidc, sso)
  await app.register(adminSaml, sso)
}

/** The page docs/permissions.md: every route of administrators with the roles that may call it and send its fields. */
export async function permissionsPage (): Promise<string> {
  const app = Fastify()
  const routes = collectAdminRoutes(app)
  await registerAdmin(app)
  await app.ready()
  await app.close()
  return `# Permissions

Written from the routes by \`scripts/permissions.mjs\`; do not edit. Paths are below \`/v1/admin\`. A request of a role that
may not call the route, or that sends a field which the role may not send, is refused with 403 \`FORBIDDEN\` and changes
nothing, whatever the value of the field. An [API key](admin-keys.md) also needs the permission of the route, and may
not call a route without one.

The routes of [scim](scim.md) below \`/scim/v2\` accept only API keys, of the roles owner and admin, with the permission
\`scim:manage\`.

On routes that are marked "fresh", a user who has a second factor must have proved it within the last 5 minutes; see
[adminGuard](admin-guard.md#decorators).

| route | roles | second factor | permission of an API key |
| --- | --- | --- | --- |
${routes.map(row).join('\n')}

## Fields of fewer roles

${routes.flatMap(fieldsOf).join('\n\n')}
`
}

function row (route: AdminRoute): string {
  const { method, path, demand } = route
  const permission = typeof demand === 'boolean' ? undefined : demand.permission
  const isFresh = typeof demand === 'object' && demand.stepUp !== undefined && demand.stepUp !== false
  const roles = demand === false ? 'no access token needed' : namesOf(rolesFor(route))
  return `| \`${method} ${path}\` | ${roles} | ${isFresh ? 'fresh' : ''} | ${permission === undefined ? '' : `\`${permission}\``} |`
}

/** A paragraph for each group of fields of the route that not all of its roles may send. */
function fieldsOf ({ method, path, demand }: AdminRoute): string[] {
  const byRoles = new Map<string, string[]>()
  for (const [field, roles] of typeof demand === 'boolean' ? [] : Object.entries(demand.fields ?? {})) {
    byRoles.set(namesOf(roles), [...byRoles.get(namesOf(roles)) ?? [], field])
  }
  return Array.from(
    byRoles,
    ([roles, fields]) => `\`${method} ${path}\`, ${roles}:\n\n${fields.map((field) => `- \`${field}\``).join('\n')}`
  )
}

function namesOf (roles: readonly Role[]): string {
  return roles.join(', ')
}
