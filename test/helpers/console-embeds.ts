import { randomUUID } from 'node:crypto'

import type { AuditEntry, TokenStore } from '../../contracts/token-store/index.js'

const ORG = 'default'
const MINUTE = 60_000
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'

type Made = Partial<AuditEntry> & { action: string, ago: number }

/** Stores entries of the audit log; `ago` is minutes. */
export async function seedAudit (store: TokenStore, entries: readonly Made[]): Promise<void> {
  const now = Date.now()
  await store.audit.append(entries.map(({ ago, ...entry }) => ({
    id: randomUUID(),
    orgId: ORG,
    userId: null,
    userEmail: null,
    resourceType: null,
    resourceId: null,
    changes: null,
    ipAddress: '203.0.113.24',
    userAgent: BROWSER,
    timestamp: now - ago * MINUTE,
    ...entry
  })))
}

/** Audit entries that the embedding routes record on a usual day. */
export async function seedEmbeds (store: TokenStore): Promise<void> {
  const token = (resourceType: string) => ({ resourceType, resourceId: randomUUID().replaceAll('-', '').slice(0, 16) })
  const board = (resourceId: string) => ({ resourceType: 'dashboard', resourceId })
  const server = 'https://bi.example.com/bi/api/site/site1'
  await seedAudit(store, [
    { ago: 2, action: 'widget_token.minted', userId: 'ann@example.com', ...token('widget_token'), changes: { issuer: 'acme', session: '8f3a', tenant: 'north', outcome: 'granted' } },
    { ago: 4, action: 'embed.authorized', userId: 'ann@example.com', ...board('sales/overview'), changes: { server, mode: 'view', grantedByServer: true, outcome: 'granted' } },
    { ago: 7, action: 'guest_token.minted', userId: 'ben@example.com', ...token('guest_token'), changes: { clientId: 'north', dataAppName: 'acme', cached: false, outcome: 'granted' } },
    { ago: 9, action: 'databrain_proxy.forwarded', userId: 'ben@example.com', ...token('guest_token'), changes: { requests: 48, outcome: 'granted' } },
    { ago: 16, action: 'embed.refused', userId: 'mallory@example.com', ipAddress: '198.51.100.7', ...board('finance/payroll'), changes: { server, outcome: 'FORBIDDEN', repeats: 12 } },
    { ago: 21, action: 'guest_token.refused', ipAddress: '198.51.100.7', changes: { outcome: 'UNAUTHORIZED' } },
    { ago: 35, action: 'widget_token.refused', userId: 'mallory@example.com', ipAddress: '198.51.100.7', changes: { outcome: 'ORIGIN_NOT_ALLOWED' } },
    { ago: 52, action: 'embed.refused', userId: 'cara@example.com', ...board('sales/overview'), changes: { server, outcome: 'CONFLICT' } },
    { ago: 80, action: 'guest_token.minted', userId: 'ann@example.com', ...token('guest_token'), changes: { clientId: 'north', dataAppName: 'acme', cached: true, outcome: 'granted' } },
    { ago: 150, action: 'embed.authorized', userId: 'cara@example.com', ...board('support/queue'), changes: { server, mode: 'view', grantedByServer: true, outcome: 'granted' } },
    { ago: 1_600, action: 'guest_token.refused', userId: 'ben@example.com', changes: { outcome: 'UPSTREAM_TIMEOUT' } }
  ])
}
