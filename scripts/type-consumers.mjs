// Code of users who import a single entry of the package.

/** By entry: a value of config.gatehouse that must compile, and one that must not. */
const ROUTE_CONFIG = {
  '': ["{ proxyKey: true, admin: { roles: ['owner'] } }", "{ admin: { roles: ['emperor'] } }"],
  'proxy-key': ['{ proxyKey: true }', '{ proxyKey: 5 }'],
  'user-reference': ["{ userReference: 'optional' }", '{ userReference: 5 }'],
  'identity-token': ["{ identityToken: 'optional' }", '{ identityToken: 5 }'],
  'pipeline-key': ['{ pipelineKey: true }', "{ pipelineKey: 'yes' }"],
  signature: ["{ signature: 'required' }", '{ signature: true }'],
  captcha: ["{ captcha: { action: 'login' } }", '{ captcha: 5 }'],
  csrf: ["{ csrf: 'writes' }", '{ csrf: 5 }'],
  'connection-limit': ['{ connectionLimit: 5 }', "{ connectionLimit: '5' }"],
  'require-https': ['{ https: true }', '{ https: 5 }'],
  'rate-limit': ['{ rateLimit: { user: { max: 1 } } }', "{ rateLimit: { user: { max: '1' } } }"],
  'admin-guard': ["{ admin: { roles: ['owner'] } }", "{ admin: { roles: ['emperor'] } }"],
  'audit-log': ["{ audit: 'report.read' }", '{ audit: 5 }'],
  'guest-token': ['{ proxyKey: true, userReference: true }', '{ proxyKey: 5 }'],
  'databrain-proxy': ['{ userReference: true }', '{ userReference: 5 }'],
  'embed-authorize': ['{ userReference: true }', '{ userReference: 5 }'],
  'widget-token': ['{ userReference: true }', '{ userReference: 5 }'],
  ingestion: ["{ pipelineKey: true, signature: 'off' }", "{ signature: 'never' }"],
  'admin-auth': ['{ admin: true }', '{ admin: 5 }'],
  'admin-api': ['{ admin: true }', '{ admin: 5 }'],
  'admin-mfa': ['{ admin: true }', '{ admin: 5 }'],
  'admin-keys': ['{ admin: true }', '{ admin: 5 }'],
  'admin-oidc': ['{ admin: true }', '{ admin: 5 }'],
  'admin-saml': ['{ admin: true }', '{ admin: 5 }'],
  'admin-users': ['{ admin: true }', '{ admin: 5 }'],
  scim: ['{ admin: true }', '{ admin: 5 }']
}

/** By entry: code of the README that uses only that entry. */
const USES = {
  '': 'part.tokenStore; export const error: Error = new part.FORBIDDEN()',
  errors:
    'export const error: Error = new part.FORBIDDEN({ retryAfterSeconds: 1 }); export const refused: Error = new ' +
      "part.INVALID_OPTIONS('no')",
  'token-store': "export const gone: Promise<unknown> = app.tokenStore.guestTokens.invalidate({ clientId: 'c' })",
  'event-sink': 'export const ready: Promise<unknown> = app.eventSink.ready()',
  'guest-token': `export const reference: string = app.userReference.sign({ sub: 'ann' })
export const gone: Promise<unknown> = app.tokenStore.guestTokens.invalidate({ clientId: 'c' })
export const options: part.GuestTokenOptions['guards'] = { proxyKey: true }
// @ts-expect-error no such guard
export const bad: part.GuestTokenOptions['guards'] = { nonsense: 5 }`,
  'widget-token': `export const options: part.WidgetTokenOptions['guards'] = { userReference: true }
// @ts-expect-error no such guard
export const bad: part.WidgetTokenOptions['guards'] = { nonsense: 5 }`,
  'embed-authorize': `export const options: part.EmbedAuthorizeOptions['guards'] = { userReference: true }
// @ts-expect-error no such guard
export const bad: part.EmbedAuthorizeOptions['guards'] = { nonsense: 5 }`,
  'user-reference': "export const reference: string = app.userReference.sign({ sub: 'ann' })",
  'identity-token': "app.get('/u', async ({ identityToken }) => identityToken?.sub satisfies string | undefined)",
  'proxy-key': "app.get('/u', async ({ proxyKey }) => proxyKey?.id)",
  'pipeline-key': "app.get('/u', async ({ source }) => source?.id)",
  ingestion:
    "app.get('/u', async ({ source, signed }) => [source?.id, signed satisfies boolean, app.eventSink, " +
      'app.tokenStore])',
  signature: "app.get('/u', async ({ signed, signedBody }) => [signed satisfies boolean, signedBody?.length])",
  'admin-guard': "app.get('/u', async ({ admin }) => admin?.role)",
  'admin-api': "app.get('/u', async ({ admin }) => [admin?.role, app.tokenStore])",
  'admin-users': "app.get('/u', async ({ admin }) => [admin?.role, app.tokenStore.invitations, app.adminLogins])",
  'admin-auth': 'export const made = app.tokenStore.users.create',
  'audit-log': "app.audit({ action: 'report.read' })"
}

/** Returns the file of a user who imports one entry, with code that must compile and code that must not. */
export function sourceFor (entry) {
  const subpath = entry.replace(/^fastify-gatehouse\/?/, '')
  const text = [`import * as part from '${entry}'`, 'export const used: object = part']
  if (subpath in ROUTE_CONFIG || subpath in USES) {
    text.push(
      "import Fastify from 'fastify'",
      "import type { FastifyContextConfig } from 'fastify'",
      'export const app = Fastify()'
    )
  }
  if (subpath in ROUTE_CONFIG) {
    const [right, wrong] = ROUTE_CONFIG[subpath]
    text.push(
      `export const config: FastifyContextConfig = { gatehouse: ${right} }`,
      `app.get('/right', { config: { gatehouse: ${right} } }, async () => 1)`,
      '// @ts-expect-error a wrong value',
      `app.get('/wrong', { config: { gatehouse: ${wrong} } }, async () => 1)`
    )
  }
  if (subpath in USES) text.push(USES[subpath])
  return { name: `alone-${subpath.replaceAll('/', '-') || 'root'}.ts`, text: `${text.join('\n')}\n` }
}
