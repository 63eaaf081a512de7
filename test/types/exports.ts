// Compiled by `npm run typecheck`, never run: every type that stands in a public option can be imported beside the
// plugin that has the option.
import type {
  AdminApiOptions, AdminAuthOptions, AdminGuardOptions, AdminTokensOptions, BotOptions, CaptchaOptions,
  CsrfCookieOptions, CsrfOptions, EmbedAuthorizeOptions, EmbedServerOptions, EmbedTransport, EventQuotaOptions,
  EventRateOptions,
  GuessLimit, IdentityCookieOptions, IngestionOptions, LiveOptions, LockoutOptions, PasswordOptions, Passwords,
  PipelineKeyOptions, ProxyKeyOptions, QuotaOptions, RateLimitOptions, SecretSource, SiteCorsOptions,
  WidgetTokenOptions
} from '../../index.js'
import type { LiveOptions as LiveOfApi } from '../../routes/admin/api/index.js'
import type {
  EventRateOptions as RateOfIngestion,
  GuessLimit as GuessesOfIngestion
} from '../../routes/ingestion/index.js'
import type {
  RateLimitOptions as RateOfWidget,
  SiteCorsOptions as CorsOfWidget
} from '../../routes/widget-token/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : never
type Given<Options, Name extends keyof Options> = Exclude<Options[Name], undefined>

export const exported: true[] = [
  true satisfies Equal<Given<WidgetTokenOptions, 'rateLimit'>, RateLimitOptions>,
  true satisfies Equal<Given<WidgetTokenOptions, 'cors'>, SiteCorsOptions>,
  true satisfies Equal<RateOfWidget, RateLimitOptions>,
  true satisfies Equal<CorsOfWidget, SiteCorsOptions>,
  true satisfies Equal<Given<ProxyKeyOptions, 'keys'>, SecretSource<readonly string[]>>,
  true satisfies Equal<Given<PipelineKeyOptions, 'guessLimit'>, GuessLimit | false>,
  true satisfies Equal<Given<IngestionOptions, 'guessLimit'>, GuessesOfIngestion | false>,
  true satisfies Equal<Given<IngestionOptions, 'eventRate'>, EventRateOptions | false>,
  true satisfies Equal<RateOfIngestion, EventRateOptions>,
  true satisfies Equal<Given<IngestionOptions, 'eventQuota'>, EventQuotaOptions | false>,
  true satisfies Equal<Given<IngestionOptions, 'identityCookie'>, IdentityCookieOptions | false>,
  true satisfies Equal<Given<IngestionOptions, 'bots'>, BotOptions>,
  true satisfies Equal<Given<EmbedAuthorizeOptions, 'servers'>, readonly EmbedServerOptions[]>,
  true satisfies Equal<Given<EmbedAuthorizeOptions, 'transport'>, EmbedTransport>,
  true satisfies Equal<Given<AdminApiOptions, 'live'>, LiveOptions | false>,
  true satisfies Equal<LiveOfApi, LiveOptions>,
  true satisfies Equal<Given<AdminApiOptions, 'quotas'>, QuotaOptions>,
  true satisfies Equal<Given<AdminAuthOptions, 'lockout'>, LockoutOptions | 'hidden'>,
  true satisfies Equal<Given<AdminAuthOptions, 'passwords'>, PasswordOptions | Passwords>,
  true satisfies Equal<Given<AdminGuardOptions, 'jwtSecrets'>, Given<AdminTokensOptions, 'jwtSecrets'>>,
  true satisfies Equal<Given<CsrfOptions, 'cookie'>, CsrfCookieOptions>,
  true satisfies Equal<Given<CaptchaOptions, 'rateLimit'>, RateLimitOptions>
]
