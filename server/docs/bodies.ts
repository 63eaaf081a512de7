/** Examples of bodies that follow from no single property, by `operationId`. */

const EVENT_ID = 'evt_Aq8Xy2k5T0uJm3bVn6cLpQ'
const USER_ID = '0d5f6a5e-4c1b-4d0e-9a57-6f3c2b1a9e84'
const SCIM = 'urn:ietf:params:scim:'

const track = {
  event: 'Order Completed',
  userId: 'user-42',
  messageId: 'order-1042',
  properties: { total: 49.9, currency: 'EUR' }
}
const page = { name: 'Pricing', anonymousId: '8f7e6d5c-anonymous', properties: { path: '/pricing' } }
const identify = { userId: 'user-42', traits: { plan: 'pro' } }
const group = { userId: 'user-42', groupId: 'acme', traits: { name: 'Acme Inc' } }
const screen = { name: 'Checkout', userId: 'user-42' }
const alias = { previousId: '8f7e6d5c-anonymous', userId: 'user-42' }
const batch = { batch: [{ type: 'track', ...track }, { type: 'page', ...page }] }

const storedEvent = {
  id: EVENT_ID,
  type: 'track',
  ...track,
  receivedAt: '2026-11-20T08:15:30.412Z',
  sourceId: '3f8a2c61-9b7d-4e05-b1c4-8d6e5f4a3b2c',
  authMethod: 'key',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0'
}
const scimUser = {
  schemas: [`${SCIM}schemas:core:2.0:User`],
  userName: 'ann@example.com',
  active: true,
  emails: [{ value: 'ann@example.com', type: 'work', primary: true }]
}
const scimGroup = {
  schemas: [`${SCIM}schemas:core:2.0:Group`],
  displayName: 'Analytics editors',
  members: [{ value: USER_ID }]
}
const scimList = (resource: object) => ({
  schemas: [`${SCIM}api:messages:2.0:ListResponse`],
  totalResults: 1,
  startIndex: 1,
  itemsPerPage: 1,
  Resources: [resource]
})
const scimPatch = (operation: object) => ({ schemas: [`${SCIM}api:messages:2.0:PatchOp`], Operations: [operation] })
const scimType = {
  schemas: [`${SCIM}schemas:core:2.0:ResourceType`],
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  schema: `${SCIM}schemas:core:2.0:User`
}
const scimSchema = { schemas: [`${SCIM}schemas:core:2.0:Schema`], id: `${SCIM}schemas:core:2.0:User`, name: 'User' }
const storedUser = { id: USER_ID, ...scimUser }
const storedGroup = { id: 'b2c7e9f0-1a3d-4c5e-8f7a-9d0b1c2e3f4a', ...scimGroup }
const metadata = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" ' +
  'entityID="https://app.example.com/…">…</EntityDescriptor>'
const logoutPage = '<!doctype html><form method="post" action="https://login.example.com/slo">…</form>'

export const REQUESTS: Readonly<Record<string, unknown>> = {
  receiveT: track,
  receiveTrack: track,
  receiveP: page,
  receivePage: page,
  receiveI: identify,
  receiveIdentify: identify,
  receiveG: group,
  receiveGroup: group,
  receiveS: screen,
  receiveScreen: screen,
  receiveA: alias,
  receiveAlias: alias,
  receiveEvents: { type: 'track', ...track },
  receiveBatch: batch,
  receiveImport: batch,
  receiveB: batch,
  receiveBeaconBatch: batch,
  receiveDelivery: {
    id: 'evt_1PxY',
    type: 'invoice.paid',
    created: 1763626530,
    data: { object: { customer: 'cus_42' } }
  },
  embedAuthorize: {
    embedQueryString: 'embed_nonce=0f5a…&embed_dashboard_id=sales-overview&embed_timestamp=1763626530',
    dashboardServerApiUrl: 'https://bi.example.com/bi/api/site/site1'
  },
  refresh: { refresh_token: 'rt_2Qm7VxN4bZk9TcLpWs1RfHd6' },
  logout: { refresh_token: 'rt_2Qm7VxN4bZk9TcLpWs1RfHd6' },
  mfaVerify: { mfa_token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl', code: '123456' },
  mfaConfirmEnrolledTotp: { mfa_token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl', code: '123456' },
  mfaConfirmTotp: { code: '123456' },
  mfaStepUp: { code: '123456' },
  mfaProposeTotp: { current_password: 'correct horse battery staple' },
  mfaPasskeyOptions: { current_password: 'correct horse battery staple' },
  patchOrganisation: { mfa: 'required' },
  createSource: { name: 'Web shop', domains: ['https://shop.example.com'] },
  patchSource: { domains: ['https://shop.example.com', '*.example.com'], keep_refused: true },
  createSourceKey: { name: 'Checkout', expires_at: '2099-01-01T00:00:00Z' },
  patchSourceKey: { enabled: false },
  createWebhook: { name: 'Payments', provider: 'stripe', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  testWebhook: { body: { id: 'evt_1PxY', type: 'invoice.paid', data: { object: { customer: 'cus_42' } } } },
  patchWebhook: { mapping: { event: '$.type', userId: '$.data.object.customer' } },
  replayRefusedEvents: { code: 'ORIGIN_NOT_ALLOWED', origin: 'https://new-shop.example.com', limit: 50 },
  revokeEmbeds: { user_id: 'user-42' },
  createApiKey: { name: 'Nightly export', role: 'viewer', permissions: ['events:read'], expires_in_days: 90 },
  patchApiKey: { name: 'Hourly export' },
  patchUser: { role: 'editor' },
  createScimUser: scimUser,
  replaceScimUser: { ...scimUser, active: false },
  patchScimUser: scimPatch({ op: 'replace', path: 'active', value: false }),
  createScimGroup: scimGroup,
  replaceScimGroup: scimGroup,
  patchScimGroup: scimPatch({ op: 'add', path: 'members', value: [{ value: USER_ID }] }),
  patchScimSettings: { group_roles: [{ group: 'Analytics editors', role: 'editor' }], default_role: 'viewer' },
  exchangeSsoCode: { code: 'c_7Hq2ZrT8mXcVbN1pLsDfGh' },
  createIdentityProvider: {
    kind: 'oidc',
    name: 'Okta',
    enabled: true,
    settings: { issuer: 'https://example.okta.com', client_id: '0oa1b2c3d4' },
    secret: 'the client secret of the provider',
    roles: { claim: 'groups', mapping: [{ value: 'analytics', role: 'editor' }], fallback: null }
  },
  patchIdentityProvider: { enabled: false },
  patchSsoDomain: { sso: 'required' },
  consumeSamlAssertion: { SAMLResponse: 'PHNhbWxwOlJlc3BvbnNlLz4=', RelayState: 'f3c1e2' },
  receiveSamlLogoutByPost: { SAMLRequest: 'PHNhbWxwOkxvZ291dFJlcXVlc3QvPg==' }
}

/** The bodies of successful responses. */
export const REPLIES: Readonly<Record<string, unknown>> = {
  readMetrics: '# HELP gatehouse_events_total Events by outcome.\n# TYPE gatehouse_events_total counter\n' +
    'gatehouse_events_total{outcome="accepted"} 1042\n',
  readCollector: '(function(){/* the collector */})()',
  guestToken: { token: '5f0b3c9e-6d0a-4f1e-9a57-2b1a9e840d5f' },
  embedAuthorize: { ApiStatus: true, Status: true, Data: { access_token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' } },
  ...Object.fromEntries(['T', 'P', 'I', 'G', 'S', 'A', 'Track', 'Page', 'Identify', 'Group', 'Screen', 'Alias', 'Events']
    .map((end) => [`receive${end}`, { success: true }])),
  ...Object.fromEntries(['Batch', 'Import', 'B', 'BeaconBatch'].map((end) =>
    [`receive${end}`, { success: true, accepted: 2 }])),
  receiveDelivery: { success: true, accepted: 1 },
  ...Object.fromEntries(['Track', 'Page', 'Identify', 'Group'].map((end) =>
    [`pixel${end}`, 'GIF89a, 1 by 1 pixel, transparent'])),
  listEvents: { data: [storedEvent], next_cursor: null, has_more: false },
  getEvent: storedEvent,
  testWebhook: { events: [storedEvent], errors: [] },
  liveEvents: `event: accepted\nid: ${EVENT_ID}\ndata: ${JSON.stringify(storedEvent)}\n\n`,
  exportEvents: `${JSON.stringify(storedEvent)}\n{"export":{"complete":true,"count":1,"cursor":null,"reason":null}}\n`,
  exportRefusedEvents: '{"id":"b2c7e9f0","code":"ORIGIN_NOT_ALLOWED","origin":"https://new-shop.example.com"}\n' +
    '{"export":{"complete":true,"count":1,"cursor":null,"reason":null}}\n',
  mfaPasskeyVerifyOptions: {
    options: { challenge: 'c29tZSBieXRlcw', rpId: 'app.example.com' },
    challenge_token: 'eyJ.e30.c2ln'
  },
  listPermissions: { data: ['sources:read', 'sources:write', 'events:read'] },
  readScimConfig: {
    schemas: [`${SCIM}schemas:core:2.0:ServiceProviderConfig`],
    patch: { supported: true },
    filter: { supported: true, maxResults: 200 }
  },
  listScimResourceTypes: scimList(scimType),
  readScimResourceType: scimType,
  listScimSchemas: scimList(scimSchema),
  readScimSchema: scimSchema,
  listScimUsers: scimList(storedUser),
  createScimUser: storedUser,
  readScimUser: storedUser,
  replaceScimUser: { ...storedUser, active: false },
  patchScimUser: { ...storedUser, active: false },
  listScimGroups: scimList(storedGroup),
  createScimGroup: storedGroup,
  readScimGroup: storedGroup,
  replaceScimGroup: storedGroup,
  getSamlMetadata: metadata,
  receiveSamlLogoutByRedirect: logoutPage,
  receiveSamlLogoutByPost: logoutPage,
  getSamlSubmitScript: 'document.forms[0].submit()'
}

const ofKey = { id: 'pk_9hT2ZrT8mXcVbN1pLsDfGhJk', name: 'Checkout' }
const ofPasskey = { id: 'AQIDBAUGBwgJCgsMDQ4PEA', name: "Ann's laptop" }
const ofDomain = { id: 'dom_6yRq2ZrT5mXcVbN1pLsDfGhJ' }

/** Other values than those of values.ts for the properties of bodies, by `operationId`. */
export const OVERRIDES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  readMe: { id: USER_ID },
  listOrganisations: { name: 'Example Ltd' },
  mfaEnrolPasskey: ofPasskey,
  mfaAddPasskey: ofPasskey,
  mfaReadPasskey: ofPasskey,
  mfaState: ofPasskey,
  mfaPasskeyVerify: ofPasskey,
  mfaPasskeyLogin: ofPasskey,
  mfaEnrolTotp: { secret: 'JBSWY3DPEHPK3PXP' },
  mfaProposeTotp: { secret: 'JBSWY3DPEHPK3PXP' },
  patchOrganisation: { mfa: 'required' },
  createSourceKey: ofKey,
  listSourceKeys: ofKey,
  readSourceKey: ofKey,
  patchSourceKey: { ...ofKey, enabled: false },
  rotateSourceKey: ofKey,
  patchApiKey: { name: 'Hourly export' },
  replayRefusedEvent: { code: null, reason: null },
  listEmbeds: { error: null, resource_id: 'sales-overview' },
  revokeEmbeds: { subject: 'user-42' },
  listRevocations: { subject: 'user-42' },
  addSsoDomain: { ...ofDomain, verified_at: null },
  listSsoDomains: ofDomain,
  readSsoDomain: ofDomain,
  verifySsoDomain: ofDomain,
  patchSsoDomain: { ...ofDomain, sso: 'required' },
  rotateIdentityProviderSecret: { secret: 'the new client secret of the provider' },
  getStats: { bytes: 812_004, refused: 12, accepted: 1_042 }
}
