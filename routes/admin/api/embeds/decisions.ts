import type { AuditEntry } from '../../../../contracts/token-store/index.js'
import type { EmbedDecisionItem } from '../../../../schemas/admin-embeds.js'

type Decision = Readonly<Pick<EmbedDecisionItem, 'product' | 'outcome'>>

/** The audit actions of the embedding routes, with the product and the outcome of each. */
const DECISIONS: ReadonlyMap<string, Decision> = new Map<string, Decision>([
  ['guest_token.minted', { product: 'databrain', outcome: 'granted' }],
  ['guest_token.refused', { product: 'databrain', outcome: 'refused' }],
  ['databrain_proxy.forwarded', { product: 'databrain', outcome: 'granted' }],
  ['databrain_proxy.refused', { product: 'databrain', outcome: 'refused' }],
  ['embed.authorized', { product: 'boldbi', outcome: 'granted' }],
  ['embed.refused', { product: 'boldbi', outcome: 'refused' }],
  ['widget_token.minted', { product: 'dxfeed', outcome: 'granted' }],
  ['widget_token.refused', { product: 'dxfeed', outcome: 'refused' }]
])

/** Returns the audit actions of a product and an outcome; `undefined` selects all. */
export function actionsOf (
  product: Decision['product'] | undefined,
  outcome: Decision['outcome'] | undefined
): string[] {
  return Array.from(DECISIONS)
    .filter(([, meaning]) =>
      (product === undefined || meaning.product === product) && (outcome === undefined || meaning.outcome === outcome)
    )
    .map(([action]) => action)
}

/** Returns the decision in an audit entry of such an action. */
export function viewDecision (
  { id, action, userId, userEmail, resourceId, changes, ipAddress, userAgent, timestamp }: AuditEntry
): EmbedDecisionItem {
  const { product, outcome } = DECISIONS.get(action) as Decision
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

/** Returns a decision for a role below admin: without the user and the client. */
export function withoutPerson (entry: AuditEntry): EmbedDecisionItem {
  return { ...viewDecision(entry), user_id: null, user_email: null, ip_address: null, user_agent: null, details: null }
}
