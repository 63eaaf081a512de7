export { default as adminApi } from './routes/admin/api/index.js'
export { default as adminMfa } from './routes/admin/mfa/index.js'
export { default as adminKeys } from './routes/admin/keys/index.js'
export { default as adminOidc } from './routes/admin/oidc/index.js'
export { default as adminSaml, samlSettingsFrom } from './routes/admin/saml/index.js'
export { default as adminAuth } from './routes/admin/auth/index.js'
export { default as adminGuard } from './plugins/admin-guard/index.js'
export { default as adminUsers } from './routes/admin/users/index.js'
export { default as auditLog } from './plugins/audit-log/index.js'
export { default as captcha } from './plugins/captcha/index.js'
export { default as connectionLimit } from './plugins/connection-limit/index.js'
export { createPasswords } from './lib/passwords/index.js'
export { default as csrf } from './plugins/csrf/index.js'
export { default as databrainProxy } from './routes/databrain/proxy/index.js'
export { default as embedAuthorize } from './routes/embed-authorize/index.js'
export { default as errorEnvelope } from './plugins/error-envelope.js'
export { default as eventFeed } from './plugins/event-feed/index.js'
export { default as eventSink, memorySink } from './plugins/event-sink/index.js'
export { default as guestToken, pageConfig } from './routes/databrain/guest-token/index.js'
export { default as identityToken } from './plugins/identity-token/index.js'
export { default as ingestion } from './routes/ingestion/index.js'
export { default as metrics } from './plugins/metrics/index.js'
export { default as pipelineKey } from './plugins/pipeline-key/index.js'
export { default as proxyKey } from './plugins/proxy-key.js'
export { default as rateLimit } from './plugins/rate-limit/index.js'
export { default as requireHttps } from './plugins/require-https.js'
export { default as scim } from './routes/admin/scim/index.js'
export { default as signature } from './plugins/signature.js'
export { default as tokenStore, memoryStore, SOURCE_DEFAULTS } from './plugins/token-store/index.js'
export { default as userReference } from './plugins/user-reference/index.js'
export { default as widgetToken } from './routes/widget-token/index.js'
export { maskUrl } from './lib/http/masked-request-log.js'
export { refuseRevoked } from './plugins/embed-revocation.js'
export * from './lib/errors.js'
export * from './signing/index.js'

export type * from './contracts/event-sink.js'
export type * from './contracts/token-store/index.js'
export type { Admin, AdminGuardOptions, ApiKeyAdmin, UserAdmin } from './plugins/admin-guard/index.js'
export type { AdminApiOptions, AdminScopeOptions } from './routes/admin/api/index.js'
export type { AdminMfaOptions, PasskeyOptions } from './routes/admin/mfa/index.js'
export type { AdminKeysOptions } from './routes/admin/keys/index.js'
export type { AdminOidcOptions, ConfiguredOidcProvider, OidcSettings } from './routes/admin/oidc/index.js'
export type {
  AdminSamlOptions,
  ConfiguredDomain,
  ConfiguredProvider,
  ConfiguredSamlProvider,
  SamlSettings,
  SamlSettingsBody,
  SsoOptions
} from './routes/admin/saml/index.js'
export type { AdminAuthOptions } from './routes/admin/auth/index.js'
export type { AdminUsersOptions } from './routes/admin/users/index.js'
export type { AuditLogOptions, AuditRecord } from './plugins/audit-log/index.js'
export type {
  AuthorizeEmbed, EmbedAuthorizeOptions, EmbedDetails, EmbedGrant,
  EmbedIdentity
} from './routes/embed-authorize/index.js'
export type { CaptchaOptions, CaptchaRule } from './plugins/captcha/index.js'
export type { ConnectionLimitOptions } from './plugins/connection-limit/index.js'
export type { CsrfOptions, CsrfRule } from './plugins/csrf/index.js'
export type { DatabrainProxyOptions, ProxyPageConfig, ProxyPageConfigOptions } from './routes/databrain/proxy/index.js'
export type { DatabrainTokenOptions } from './routes/databrain/guest-token/index.js'
export type { EmbedSubjects } from './plugins/embed-revocation.js'
export type { EventFeed, EventWatcher, Refusal } from './plugins/event-feed/index.js'
export type { EventSinkOptions } from './plugins/event-sink/index.js'
export type {
  GuestTokenGrant, GuestTokenIdentityOptions, GuestTokenOptions, PageConfig, PageConfigOptions, RenewalGrant,
  RenewalOptions
} from './routes/databrain/guest-token/index.js'
export type { HstsOptions, RequireHttpsOptions } from './plugins/require-https.js'
export type {
  IdentifiedRequest, IdentityGrantOptions, IdentityProviderOptions, IdentityToken, IdentityTokenOptions,
  IdentityUser
} from './plugins/identity-token/index.js'
export type { BotOptions, IngestionOptions } from './routes/ingestion/index.js'
export type { MetricsOptions, MetricsRegistry } from './plugins/metrics/index.js'
export type { PasswordOptions, Passwords } from './lib/passwords/index.js'
export type { PipelineKeyOptions } from './plugins/pipeline-key/index.js'
export type { ProxyKeyOptions } from './plugins/proxy-key.js'
export type { IdentifyRequest, RequestLimit, RequestLimits, RequestRateOptions } from './plugins/rate-limit/index.js'
export type { SecretSource } from './lib/secrets/secret-source.js'
export type { ScimOptions } from './routes/admin/scim/index.js'
export type { SignatureMode, SignatureOptions } from './plugins/signature.js'
export type { TokenStoreOptions } from './plugins/token-store/index.js'
export type { ReferencedRequest, UserReferenceOptions } from './plugins/user-reference/index.js'
export type { AuthorizeWidget, WidgetTokenOptions, WidgetUser } from './routes/widget-token/index.js'

// Types that stand in the options of several plugins, or inside the options of one.
export type { AccessClaims, AdminTokens, AdminTokensOptions } from './lib/admin-tokens/index.js'
export type {
  AltchaOptions, CommonCaptchaOptions, SiteverifyOptions,
  SiteverifyProvider
} from './plugins/captcha/index.js'
export type { CsrfCookieOptions, CsrfTokenMaker } from './plugins/csrf/index.js'
export type { EmbedServerOptions, EmbedTransport } from './routes/embed-authorize/index.js'
export type { EventRateOptions } from './lib/limits/event-rate.js'
export type { GuessLimit } from './lib/limits/unknown-key-limiter.js'
export type { IdentityCookieOptions } from './routes/ingestion/identity-cookie.js'
export type { ClaimValue, TokenCookieOptions } from './plugins/identity-token/index.js'
export type { ExportOptions } from './routes/admin/api/events/export/options.js'
export type { LiveOptions } from './routes/admin/api/live/options.js'
export type { BreachRange, LockoutOptions } from './routes/admin/auth/index.js'
export type { MailKind, MailMessage, SendMail } from './routes/admin/users/index.js'
export type { MemorySinkOptions } from './plugins/event-sink/index.js'
export type { MemoryStoreOptions } from './plugins/token-store/index.js'
export type { QuotaOptions } from './routes/admin/api/quotas.js'
export type { RateLimitOptions } from './lib/limits/rate-limit.js'
export type { SiteCorsOptions } from './lib/cors/site-cors.js'
export type { HostDecision } from './lib/authorize.js'
export type { UpstreamClientOptions } from './lib/upstream-client/index.js'
