import type { AuditEntry } from '../../../../contracts/token-store/index.js'
import type { EmbedDecisionItem } from '../../../../schemas/admin-embeds.js'

type Meaning = Readonly<Pick<EmbedDecisionItem, 'product' | 'outcome'>>

/** Under which actions the embedding routes audit what they decide. */
const DECISIONS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['guest_token.minted', { product: 'databrain', outcome: 'granted' }],
  ['guest_token.refused', { product: 'databrain', outcome: 'refused' }],
  ['databrain_proxy.forwarded', { product: 'databrain', outcome: 'granted' }],
  ['databrain_proxy.refused', { product: 'databrain', outcome: 'refused' }],
  ['embed.authorized', { product: 'boldbi', outcome: 'granted' }],
  ['embed.refused', { product: 'boldbi', outcome: 'refused' }],
  ['widget_token.minted', { product: 'dxfeed', outcome: 'granted' }],
  ['widget_token.refused', { product: 'dxfeed', outcome: 'refused' }]
])

/** The actions of one product, of one outcome, or of all. */
export function actionsOf (product: Meaning['product'] | undefined, outcome: Meaning['outcome'] | undefined): string[] {
  return Array.from(DECISIONS)
    .filter(([, meaning]) => (product === undefined || meaning.product === product) && (outcome === undefined || meaning.outcome === outcome))
    .map(([action]) => action)
}

/** An audit entry of one of these actions. */
export function viewDecision ({ id, action, userId, userEmail, resourceId, changes, ipAddress, userAgent, timestamp }: AuditEntry): EmbedDecisionItem {
  const { product, outcome } = DECISIONS.get(action) as Meaning
  const { outcome: code, ...details } = changes ?? {}
  return {
    id,
    product,
    outcome,
    error: outcome === 'refused' && typeof code === 'string' ? code : null,
    user_id: userId,
    user_email: userEmail,
    resource_id: resourceId,
    ip_address: ipAddress,
    user_agent: userAgent,
    timestamp: new Date(timestamp).toISOString(),
    details
  }
}

/** What a role below admin may see of a decision: neither the user nor the client. */
export function withoutPerson (entry: AuditEntry): EmbedDecisionItem {
  return { ...viewDecision(entry), user_id: null, user_email: null, ip_address: null, user_agent: null, details: null }
}
