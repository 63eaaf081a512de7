import { randomUUID } from 'node:crypto'

import type { Role, TokenStore } from '../../contracts/token-store/index.js'
import type { PermissionName } from '../../schemas/admin-keys.js'
import {
  aDigest, anApiKey, aProvider, aRefusedEvent, aRevocation, aSession, aSource, aSourceKey,
  aWebhook
} from '../../conformance/token-store/fixtures.js'
import { anEvent } from '../../conformance/event-sink/index.js'
import { publicId } from '../../plugins/event-sink/public-id.js'
import { systemClock } from '../../conformance/clocks.js'
import { PASSWORD } from './admin.js'
import type { AdminApp } from './admin.js'

/** The user of an access token and the app. */
export interface Subject {
  admin: AdminApp
  store: TokenStore
  orgId: string
  userId: string
  email: string
  refreshToken: string
  sessionId: string
}

/** The parts of a request that a route needs: values of the path's parameters and the body. */
export interface RequestParts {
  params?: Record<string, string>
  body?: object
}

export interface Decision {
  /** The lowest role that may call the route; `null`: the route needs no access token. */
  least: Role | null
  /** The permission of an API key. Default: none, and the route refuses API keys. */
  permission?: PermissionName
  /** Whether a user who has a second factor must have proved it recently. Default: `false`. */
  fresh?: true
  /** The status of an allowed call; 400 for a route that needs more than this table creates. */
  ok: number
  /** Returns the request for new objects of the subject. Default: without body. */
  make?: (subject: Subject) => RequestParts | Promise<RequestParts>
  /** Whether an object of another organisation is 404. Default: if the path has parameters. */
  named?: boolean
}

const anEmail = () => `${randomUUID()}@example.com`
const source = async ({ store, orgId }: Subject) => (await store.sources.create(aSource({ orgId }))).id
const ofSource = async (subject: Subject) => ({ params: { id: await source(subject) } })
const ofSourceKey = async (subject: Subject) => {
  const id = await source(subject)
  const key = await subject.store.sourceKeys.create(subject.orgId, id, aSourceKey())
  return { params: { id, key_id: key?.id ?? '' } }
}
const ofWebhook = async (subject: Subject) => {
  const id = await source(subject)
  const fields = aWebhook({ provider: 'standard', secret: 'whsec_cTdUeTJLZDlXbTR4WnAzTA==' })
  const webhook = await subject.store.webhooks.create(subject.orgId, id, fields)
  return { params: { id, wid: webhook?.id ?? '' } }
}
const ofKey = async ({ store, orgId }: Subject) => ({
  params: { id: (await store.apiKeys.create(anApiKey({ orgId, role: 'viewer', digest: aDigest() }))).id }
})
const ofRevocation = async ({ store, orgId }: Subject) => ({
  params: { id: (await store.revocations.revoke(aRevocation({ orgId, subject: randomUUID() }))).id }
})
const ofSession = async ({ store, orgId, userId }: Subject) => {
  const user = await store.users.get(userId, orgId)
  const session = aSession(userId, systemClock(), { orgId, epoch: user?.epoch ?? 0, refreshDigest: aDigest() })
  await store.sessions.start(session)
  return { params: { id: session.id } }
}
const ofMember = async ({ store, orgId }: Subject) => {
  const { id } = await store.users.create({ orgId, email: anEmail(), passwordHash: '', role: 'viewer' })
  return { params: { id } }
}
const ofInvitation = async ({ store, orgId, userId }: Subject) => {
  const link = { digest: aDigest(), expiresAt: Date.now() + 60_000, invitedBy: userId }
  return { params: { id: (await store.invitations.create({ orgId, email: anEmail(), role: 'viewer', ...link })).id } }
}
const ofEvent = async ({ admin, orgId }: Subject) => {
  const event = anEvent({ orgId, sourceId: randomUUID() })
  await admin.app.eventSink.write([event])
  return { params: { id: publicId(event) } }
}
const ofRefusedEvent = async (subject: Subject) => {
  const event = aRefusedEvent({ orgId: subject.orgId, sourceId: await source(subject) })
  await subject.store.refusedEvents.append([event], { maxRows: 1_000, maxBytes: 1_000_000 })
  return { params: { id: event.id } }
}
const ofProvider = async ({ store, orgId }: Subject) => ({
  params: { id: (await store.identityProviders.create(aProvider({ orgId }))).id }
})
const ofDomain = async ({ store, orgId }: Subject) => {
  const { id } = await store.ssoDomains.add({ orgId, domain: `${randomUUID()}.example`, token: 'token' })
  await store.ssoDomains.verify(orgId, id)
  return { params: { id } }
}
const ofIdentity = async (subject: Subject) => {
  const { params: { id } } = await ofMember(subject)
  const link = { providerId: 'idp_1', subject: randomUUID(), orgId: subject.orgId, userId: id }
  await subject.store.identities.link(link)
  return { params: { id, provider_id: link.providerId } }
}
/** The session of a user with a passkey is fresh, so that the user may remove the passkey. */
const ofPasskey = async ({ admin, store, userId, sessionId }: Subject) => {
  const passkey = { userId, credentialId: randomUUID(), publicKey: 'cHVibGlj', counter: 0, transports: [], name: 'Key' }
  const added = await store.factors.addPasskey(passkey, [])
  await store.sessions.confirm(sessionId, admin.clock.now)
  return { params: { id: added?.passkey.id ?? '' } }
}
const withBody = (make: (subject: Subject) => Promise<RequestParts>, body: object) => async (subject: Subject) => ({
  ...await make(subject),
  body
})
const body = (fields: object) => () => ({ body: fields })

const NAME = { name: 'Named by the test' }
const OIDC = { issuer: 'https://id.example.com', client_id: 'gatehouse' }
const ROTATION = { overlap_seconds: 0 }

/** The roles that may call each route of administrators, and the status of an allowed call. */
export const DECISIONS: Readonly<Record<string, Decision>> = {
  'POST /auth/login': { least: null, ok: 200, make: ({ email }) => ({ body: { email, password: PASSWORD } }) },
  'POST /auth/refresh': { least: null, ok: 200, make: ({ refreshToken }) => ({ body: { refresh_token: refreshToken } }) },
  'POST /auth/logout': { least: null, ok: 204, make: ({ refreshToken }) => ({ body: { refresh_token: refreshToken } }) },
  'GET /auth/me': { least: 'viewer', ok: 200 },
  'GET /auth/sessions': { least: 'viewer', ok: 200 },
  'DELETE /auth/sessions/:id': { least: 'viewer', ok: 204, make: ofSession },
  'POST /auth/logout-all': { least: 'viewer', ok: 204 },
  'POST /auth/logout-others': { least: 'viewer', ok: 200 },
  'GET /auth/organisations': { least: 'viewer', ok: 200 },
  'POST /auth/switch': { least: 'viewer', ok: 200, named: true, make: ({ orgId }) => ({ body: { org_id: orgId } }) },
  'POST /auth/password': {
    least: 'viewer',
    ok: 204,
    make: body({ current_password: PASSWORD, new_password: 'another unguessable phrase' })
  },

  'POST /sources': { least: 'editor', permission: 'sources:write', ok: 201, make: body(NAME) },
  'GET /sources': { least: 'viewer', permission: 'sources:read', ok: 200 },
  'GET /sources/:id': { least: 'viewer', permission: 'sources:read', ok: 200, make: ofSource },
  'PATCH /sources/:id': { least: 'editor', permission: 'sources:write', ok: 200, make: withBody(ofSource, NAME) },
  'DELETE /sources/:id': { least: 'admin', fresh: true, permission: 'sources:delete', ok: 204, make: ofSource },
  'POST /sources/:id/rotate-key': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 200, make: withBody(ofSource, ROTATION)
  },
  'POST /sources/:id/rotate-secret': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 200, make: withBody(ofSource, ROTATION)
  },
  'GET /sources/:id/keys': { least: 'viewer', permission: 'sources:read', ok: 200, make: ofSource },
  'POST /sources/:id/keys': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 201, make: withBody(ofSource, NAME)
  },
  'GET /sources/:id/keys/:key_id': { least: 'viewer', permission: 'sources:read', ok: 200, make: ofSourceKey },
  'PATCH /sources/:id/keys/:key_id': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 200, make: withBody(ofSourceKey, NAME)
  },
  'POST /sources/:id/keys/:key_id/rotate': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 200, make: withBody(ofSourceKey, ROTATION)
  },
  'DELETE /sources/:id/keys/:key_id': {
    least: 'admin', fresh: true, permission: 'sources:rotate', ok: 204, make: ofSourceKey
  },
  'POST /sources/:id/webhooks': {
    least: 'admin', permission: 'webhooks:write', ok: 201, make: withBody(ofSource, { provider: 'standard' })
  },
  'GET /sources/:id/webhooks': { least: 'viewer', permission: 'webhooks:read', ok: 200, make: ofSource },
  'GET /sources/:id/webhooks/:wid': { least: 'viewer', permission: 'webhooks:read', ok: 200, make: ofWebhook },
  'PATCH /sources/:id/webhooks/:wid': {
    least: 'editor', permission: 'webhooks:write', ok: 200, make: withBody(ofWebhook, NAME)
  },
  'POST /sources/:id/webhooks/:wid/test': {
    // The app of the matrix does not receive events.
    least: 'editor', permission: 'webhooks:write', ok: 404, make: withBody(ofWebhook, { body: { type: 'paid' } })
  },
  'DELETE /sources/:id/webhooks/:wid': { least: 'admin', fresh: true, permission: 'webhooks:delete', ok: 204, make: ofWebhook },
  'POST /sources/:id/webhooks/:wid/rotate-secret': {
    least: 'admin', fresh: true, permission: 'webhooks:rotate', ok: 200, make: withBody(ofWebhook, ROTATION)
  },

  'GET /events': { least: 'viewer', permission: 'events:read', ok: 200 },
  'GET /events/:id': { least: 'viewer', permission: 'events:read', ok: 200, make: ofEvent },
  'GET /stats': { least: 'viewer', permission: 'stats:read', ok: 200 },
  'GET /events/export': { least: 'viewer', permission: 'events:read', ok: 200 },
  'GET /refused-events': { least: 'viewer', permission: 'events:read', ok: 200 },
  'GET /refused-events/export': { least: 'viewer', permission: 'events:read', ok: 200 },
  'GET /refused-events/:id': { least: 'viewer', permission: 'events:read', ok: 200, make: ofRefusedEvent },
  'DELETE /refused-events/:id': { least: 'editor', permission: 'events:replay', ok: 204, make: ofRefusedEvent },
  // The app of the matrix does not receive events.
  'POST /refused-events/:id/replay': { least: 'editor', permission: 'events:replay', ok: 404, make: ofRefusedEvent },
  'POST /refused-events/replay': { least: 'editor', permission: 'events:replay', ok: 404, make: body({}) },
  // Without an event feed an allowed call is 404; with one the response would not end.
  'GET /events/live': { least: 'viewer', permission: 'events:read', ok: 404 },
  'GET /embeds': { least: 'viewer', permission: 'embeds:read', ok: 200 },
  'POST /embeds/revoke': { least: 'admin', permission: 'embeds:revoke', ok: 200, make: body({ user_id: 'user-1' }) },
  'GET /embeds/revocations': { least: 'viewer', permission: 'embeds:read', ok: 200 },
  'DELETE /embeds/revocations/:id': { least: 'admin', permission: 'embeds:revoke', ok: 204, make: ofRevocation },
  'GET /notices': { least: 'admin', permission: 'audit:read', ok: 200 },
  'GET /audit-logs': { least: 'admin', permission: 'audit:read', ok: 200 },

  'GET /permissions': { least: 'admin', ok: 200 },
  'POST /keys': { least: 'admin', fresh: true, ok: 201, make: body({ ...NAME, role: 'viewer' }) },
  'GET /keys': { least: 'admin', ok: 200 },
  'GET /keys/:id': { least: 'admin', ok: 200, make: ofKey },
  'PATCH /keys/:id': { least: 'admin', fresh: true, ok: 200, make: withBody(ofKey, NAME) },
  'POST /keys/:id/rotate': { least: 'admin', fresh: true, ok: 200, make: withBody(ofKey, ROTATION) },
  'DELETE /keys/:id': { least: 'admin', ok: 204, make: ofKey },

  'GET /users': { least: 'admin', ok: 200 },
  'GET /users/:id': { least: 'admin', ok: 200, make: ofMember },
  'PATCH /users/:id': { least: 'admin', fresh: true, ok: 200, make: withBody(ofMember, { role: 'editor' }) },
  'DELETE /users/:id': { least: 'admin', fresh: true, ok: 204, make: ofMember },
  'GET /users/invitations': { least: 'admin', ok: 200 },
  'POST /users/invite': { least: 'admin', fresh: true, ok: 201, make: () => ({ body: { email: anEmail(), role: 'viewer' } }) },
  'POST /users/invitations/:id/resend': { least: 'admin', fresh: true, ok: 200, make: ofInvitation },
  'DELETE /users/invitations/:id': { least: 'admin', ok: 204, make: ofInvitation },
  'POST /auth/email': {
    least: 'viewer', fresh: true, ok: 202, make: () => ({ body: { new_email: anEmail(), current_password: PASSWORD } })
  },
  'POST /auth/email/confirm': { least: null, ok: 400 },
  'POST /auth/password-reset': { least: null, ok: 202, make: ({ email }) => ({ body: { email } }) },
  'POST /auth/password-reset/confirm': { least: null, ok: 400 },
  'POST /invitations/inspect': { least: null, ok: 400 },
  'POST /invitations/accept': { least: null, ok: 400 },

  'POST /auth/mfa/verify': { least: null, ok: 400 },
  'POST /auth/mfa/passkey/options': { least: null, ok: 400 },
  'POST /auth/mfa/passkey/verify': { least: null, ok: 400 },
  'POST /auth/passkey/options': { least: null, ok: 200 },
  'POST /auth/passkey/login': { least: null, ok: 400 },
  'POST /auth/mfa/enrol/totp': { least: null, ok: 400 },
  'POST /auth/mfa/enrol/totp/confirm': { least: null, ok: 400 },
  'POST /auth/mfa/enrol/passkeys/options': { least: null, ok: 400 },
  'POST /auth/mfa/enrol/passkeys': { least: null, ok: 400 },
  'GET /auth/mfa': { least: 'viewer', ok: 200 },
  'POST /auth/mfa/totp': { least: 'viewer', fresh: true, ok: 200, make: body({ current_password: PASSWORD }) },
  'POST /auth/mfa/totp/confirm': { least: 'viewer', fresh: true, ok: 400 },
  'DELETE /auth/mfa/totp': { least: 'viewer', fresh: true, ok: 404 },
  'POST /auth/mfa/recovery-codes': { least: 'viewer', fresh: true, ok: 409 },
  'POST /auth/mfa/passkeys/options': {
    least: 'viewer', fresh: true, ok: 200, make: body({ current_password: PASSWORD })
  },
  'POST /auth/mfa/passkeys': { least: 'viewer', fresh: true, ok: 400 },
  'GET /auth/mfa/passkeys/:id': { least: 'viewer', ok: 200, make: ofPasskey },
  'DELETE /auth/mfa/passkeys/:id': { least: 'viewer', fresh: true, ok: 204, make: ofPasskey },
  'POST /auth/mfa/step-up/options': { least: 'viewer', ok: 409 },
  'POST /auth/mfa/step-up': { least: 'viewer', ok: 400 },
  'GET /scim': { least: 'admin', ok: 200 },
  'PATCH /scim': { least: 'owner', fresh: true, ok: 200, make: body({ default_role: 'viewer' }) },
  'GET /auth/sso': { least: null, ok: 200 },
  'GET /auth/sso/:kind/:id/start': { least: null, ok: 400 },
  'POST /auth/sso/token': { least: null, ok: 400 },
  'POST /auth/sso/logout': { least: 'viewer', ok: 200 },
  'GET /auth/sso/oidc/:id/callback': { least: null, ok: 404 },
  'POST /auth/sso/oidc/:id/backchannel-logout': { least: null, ok: 400 },
  'GET /auth/sso/saml/:id/metadata': { least: null, ok: 404 },
  'POST /auth/sso/saml/:id/acs': { least: null, ok: 400 },
  'GET /auth/sso/saml/:id/slo': { least: null, ok: 404 },
  'POST /auth/sso/saml/:id/slo': { least: null, ok: 400 },
  'GET /auth/sso/saml/submit.js': { least: null, ok: 200 },
  'POST /identity-providers': {
    least: 'owner', fresh: true, ok: 201, make: body({ kind: 'oidc', name: 'Staff', settings: OIDC, secret: 'secret' })
  },
  'GET /identity-providers': { least: 'admin', ok: 200 },
  'GET /identity-providers/:id': { least: 'admin', ok: 200, make: ofProvider },
  'PATCH /identity-providers/:id': { least: 'owner', fresh: true, ok: 200, make: withBody(ofProvider, NAME) },
  'POST /identity-providers/:id/rotate-secret': {
    least: 'owner', fresh: true, ok: 200, make: withBody(ofProvider, { secret: 'next' })
  },
  'DELETE /identity-providers/:id': { least: 'owner', fresh: true, ok: 204, make: ofProvider },
  'POST /sso-domains': {
    least: 'owner', fresh: true, ok: 201, make: () => ({ body: { domain: `${randomUUID()}.example` } })
  },
  'GET /sso-domains': { least: 'admin', ok: 200 },
  'GET /sso-domains/:id': { least: 'admin', ok: 200, make: ofDomain },
  'POST /sso-domains/:id/verify': { least: 'owner', fresh: true, ok: 200, make: ofDomain },
  'PATCH /sso-domains/:id': { least: 'owner', fresh: true, ok: 200, make: withBody(ofDomain, { sso: 'optional' }) },
  'DELETE /sso-domains/:id': { least: 'owner', fresh: true, ok: 204, make: ofDomain },
  'GET /users/:id/identities': { least: 'admin', ok: 200, make: ofMember },
  'DELETE /users/:id/identities/:provider_id': { least: 'admin', fresh: true, ok: 204, make: ofIdentity },

  'GET /organisation': { least: 'viewer', ok: 200 },
  'PATCH /organisation': { least: 'owner', fresh: true, ok: 200, make: body(NAME) }
}
