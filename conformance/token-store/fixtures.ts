import { randomBytes, randomUUID } from 'node:crypto'

import type {
  AuditEntry, NewApiKey, NewIdentityProvider, NewRevocation, NewSession, NewSource, NewSourceKey, NewWebhook, Page,
  PageRequest, RefusedEvent, TokenStore, User
} from '../../contracts/token-store/index.js'
import type { ContractClock } from '../clocks.js'

export type CreateStore = () => Promise<{ store: TokenStore, clock: ContractClock }>

/** Strings that a careless store loses, confuses or interprets. */
export const AWKWARD_STRINGS = [
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udc00x',
  '\ufffd',
  '\\',
  '\\u0000',
  '\\\\u0000',
  '\\ud800',
  "'; drop table sources; --",
  '%',
  '*',
  '_',
  '"',
  '{}',
  '{a,b}',
  'null',
  'NULL',
  '',
  ' ',
  ' a',
  'a ',
  'A',
  'a',
  '\n',
  '\r\n',
  'é',
  'e\u0301',
  '🙂',
  '\u202e',
  '__proto__',
  'constructor',
  '1e3',
  ':',
  'a:b'
]

export function aKey (): string {
  return `dk_live_${randomBytes(16).toString('hex')}`
}

export function aSource (fields: Partial<NewSource> = {}): NewSource {
  return {
    orgId: 'org-a',
    name: 'Shop',
    environment: 'live',
    domains: ['https://shop.example.com', '*.example.org'],
    allowAnyOrigin: false,
    allowNullOrigin: false,
    requireSignature: 'never',
    requireTimestamp: false,
    enabled: true,
    rateLimit: null,
    pixelTypes: ['track', 'page'],
    bots: 'tag',
    signedRepeats: 'keep',
    keepRefused: false,
    dailyQuota: null,
    monthlyQuota: null,
    pipelineKey: aKey(),
    serverSecret: randomBytes(32).toString('base64url'),
    ...fields
  }
}

export function aSourceKey (fields: Partial<NewSourceKey> = {}): NewSourceKey {
  return { pipelineKey: aKey(), name: `Key ${randomUUID()}`, domains: null, enabled: true, expiresAt: null, ...fields }
}

export function aWebhook (fields: Partial<NewWebhook> = {}): NewWebhook {
  return {
    name: 'Payments',
    provider: 'stripe',
    secret: randomBytes(32).toString('base64url'),
    url: null,
    custom: null,
    mapping: null,
    enabled: true,
    ...fields
  }
}

export async function aUser (store: TokenStore, email = `${randomUUID()}@example.com`): Promise<User> {
  return await store.users.create({ orgId: 'org-a', email, passwordHash: '$argon2id$…', role: 'admin' })
}

export function aSession (userId: string, clock: ContractClock, fields: Partial<NewSession> = {}): NewSession {
  return {
    id: randomUUID(),
    userId,
    orgId: 'org-a',
    mfaAt: null,
    sso: null,
    epoch: 0,
    refreshDigest: 'digest-1',
    endsAt: clock.now() + 60_000,
    ip: '203.0.113.7',
    userAgent: 'tests',
    ...fields
  }
}

export function aDigest (): string {
  return randomBytes(32).toString('hex')
}

export function anApiKey (fields: Partial<NewApiKey> = {}): NewApiKey {
  return {
    orgId: 'org-a',
    name: 'Pipeline',
    prefix: 'gh_abcdefgh',
    digest: aDigest(),
    role: 'admin',
    permissions: null,
    expiresAt: null,
    createdBy: 'user-1',
    ...fields
  }
}

export function aProvider (fields: Partial<NewIdentityProvider> = {}): NewIdentityProvider {
  return {
    orgId: 'org-a',
    kind: 'oidc',
    name: 'Workforce',
    enabled: true,
    settings: { issuer: 'https://id.example.com', client_id: 'gatehouse' },
    roles: { claim: 'groups', mapping: [{ value: 'admins', role: 'admin' }], fallback: 'viewer' },
    ...fields
  }
}

export function anEntry (fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: randomUUID(),
    orgId: 'org-a',
    action: 'source.created',
    userId: 'user-1',
    userEmail: 'owner@example.com',
    resourceType: 'source',
    resourceId: 'source-1',
    changes: { name: 'Shop' },
    ipAddress: '203.0.113.7',
    userAgent: 'tests',
    timestamp: 1_000,
    ...fields
  }
}

export function aRevocation (fields: Partial<NewRevocation> = {}): NewRevocation {
  return { orgId: 'org-a', kind: 'user', subject: 'user-1', before: 1_000, createdBy: 'admin-1', ...fields }
}

export function aRefusedEvent (fields: Partial<RefusedEvent> = {}): RefusedEvent {
  return {
    id: `ref_${randomUUID()}`,
    orgId: 'org-a',
    sourceId: 'source-1',
    code: 'ORIGIN_NOT_ALLOWED',
    reason: 'the origin "https://shop.example.com" is not allowed',
    origin: 'https://shop.example.com',
    ip: '203.0.113.7',
    userAgent: 'tests',
    path: '/v1/t',
    contentType: 'application/json',
    signed: false,
    type: 'track',
    event: 'Order Completed',
    messageId: 'message-1',
    receivedAt: 1_000,
    bytes: 27,
    payload: '{"event":"Order Completed"}',
    truncated: false,
    replay: {
      form: 'event',
      type: 'track',
      pixel: false,
      requiresSignature: false,
      webhookId: null,
      fromPage: true,
      visitorId: null,
      keyId: null,
      signatureDigest: null,
      index: 0,
      headers: {}
    },
    replayedAt: null,
    ...fields
  }
}

/** Returns the result of a look-up once it is synchronous; a cache that was just filled may be invalidated again. */
export async function atOnce<Value> (lookUp: () => Value | Promise<Value>): Promise<Value> {
  for (let tries = 0; tries < 100; tries++) {
    const result = lookUp()
    if (!(result instanceof Promise)) return result
    await result
  }
  throw new Error('a value is not cached after a hundred look-ups')
}

/** Returns the items of every page. */
export async function allPages<Item> (
  list: (page: PageRequest) => Promise<Page<Item>>,
  limit: number
): Promise<Item[][]> {
  const pages: Item[][] = []
  let cursor: string | undefined
  do {
    const page = await list({ limit, cursor })
    pages.push(page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return pages
}

/** Invalid cursors. */
export const BAD_CURSORS = [
  '',
  'x',
  '0',
  '-1',
  '!!!',
  'null',
  '\u0000',
  '9'.repeat(10_000),
  ...['', '.', '1', '1.', '.1', '1.1.1', '-1.1', '1e3.1', '1. 1', "1.1'--", '01.1', '9999999999999999.1',
    '1.9999999999999999', '1.1\u0000']
    .map((text) => Buffer.from(text).toString('base64url')),
  `${Buffer.from('1.1').toString('base64url')}=`
]
