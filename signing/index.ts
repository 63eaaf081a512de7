export {
  generateServerSecret, parseServerSecret, signBody, signTimestampedBody, verifyBody,
  verifyTimestampedBody
} from './datafly/body-signature.js'
export type { BodyVerdict, TimestampedBodyVerdict, TimestampedSignature } from './datafly/body-signature.js'
export type { Data } from './digest.js'
export { canonicalDashboard } from './boldbi/dashboard-name.js'
export { embedFilter } from './boldbi/filter.js'
export type { EmbedFilter, EmbedFilters, EmbedOperator, EmbedValue } from './boldbi/filter.js'
export { signEmbedQuery, signedEmbedQuery } from './boldbi/signature.js'
export { environmentOf, generatePipelineKey, isPipelineKey } from './datafly/pipeline-key.js'
export type { Environment } from './datafly/pipeline-key.js'
export { generateSecret } from './secret-strength/index.js'
export { signUserReference, verifyUserReference } from './user-reference.js'
export type {
  SignUserReferenceOptions, UserReference, UserReferenceClaims,
  VerifyUserReferenceOptions
} from './user-reference.js'
export { signWidgetToken, verifyWidgetToken, widgetMessage } from './dxfeed/widget-token.js'
export type { VerifyWidgetTokenOptions, WidgetTokenPayload, WidgetTokenVerdict } from './dxfeed/widget-token.js'
export { WEBHOOK_PROVIDERS, generateWebhookSecret, verifyWebhook, webhookKey } from './webhooks/index.js'
export type { CustomSignature, WebhookDelivery, WebhookProvider, WebhookVerdict } from './webhooks/index.js'
