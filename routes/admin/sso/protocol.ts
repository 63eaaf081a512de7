import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TObject } from '@sinclair/typebox'

import type { ConfiguredProvider } from './options.js'
import type { ProviderKind, RoleRules, SsoSession } from '../../../contracts/token-store/index.js'

/** An identity provider as a login uses it: of an organisation, or configured by the host. */
export interface SsoProvider<Settings = Record<string, unknown>> {
  readonly id: string
  readonly orgId: string
  readonly kind: ProviderKind
  readonly name: string
  readonly settings: Settings
  readonly roles: RoleRules
  /** The valid secrets, newest first: client secrets, or private keys. */
  readonly secrets: readonly string[]
}

/** A person, after the protocol has verified the provider's response. */
export interface ProvenIdentity {
  /** The provider's id of the user: the claim `sub`, or the NameID. Never an email that the provider may reassign. */
  subject: string
  email: string | null
  /** Whether the provider says that the email belongs to the person. */
  isEmailVerified: boolean
  /** The values of the claim or attribute that `roles.claim` names. */
  roleValues: readonly string[]
  /** When the person proved a second factor to the provider, epoch milliseconds; `null` if the provider tells none. */
  mfaAt: number | null
  /** The provider's id of its own session, for a logout; `null` for none. */
  providerSession: string | null
  /** The data for a logout at the provider, such as the ID token; `null` for none. Stored encrypted. */
  hint: string | null
}

/** A login between its start and the response of the provider. Its state is in a sealed cookie of the browser. */
export interface SsoTransaction {
  readonly provider: SsoProvider
  /** The path that the login page shows at the end. */
  readonly returnTo: string | null
  /** The `data` that `start` returned. */
  readonly data: Readonly<Record<string, string>>
}

/** Why a login failed, as the login page receives it in `#sso_error=`. */
export type SsoFailure =
  /** The person cancelled, or the provider refused. */
  | 'access_denied'
  /** The login took too long, was started in another browser, or was finished before. */
  | 'expired'
  /** The provider's response is not valid. */
  | 'invalid_response'
  /** The provider does not respond. */
  | 'provider_unavailable'
  /** The provider does not confirm the email, or the organisation has not proved its domain. */
  | 'email_not_verified'
  /** The person has no role here, is disabled, or the account is linked to another identity. */
  | 'not_allowed'

/** The protocol of one kind of identity provider: implemented by `adminOidc` and `adminSaml`. */
export interface SsoProtocol {
  readonly kind: ProviderKind
  /** The setting that names the issuer of the subjects. It never changes: another issuer may reuse a subject. */
  readonly issuerSetting: string
  /** The settings in bodies of the admin API and in the options of the host: one strict object. */
  readonly settingsSchema: TObject
  /**
   * Throws `INVALID_REQUEST` for settings that the schema accepts but that cannot work. No I/O.
   *
   * @param isOfHost whether the host has configured the provider; it may choose addresses that organisations may not
   */
  checkSettings (settings: Record<string, unknown>, isOfHost: boolean): void
  /**
   * Returns the settings to store for those of a body, such as settings read from metadata, before `checkSettings`.
   * Throws `INVALID_REQUEST`. Default: the settings of the body.
   */
  completeSettings? (settings: Record<string, unknown>): Record<string, unknown>
  /** Returns warnings about stored settings, such as an expired certificate, for the API reply. Default: none. */
  warningsOf? (settings: Record<string, unknown>): string[]
  /** Whether a provider needs a secret. Throws `INVALID_REQUEST` for a secret that cannot work. */
  checkSecret (secret: string | null, settings: Record<string, unknown>): void
  /** Returns the URLs that the administrator enters at the provider, such as `redirect_uri`. */
  urlsOf (id: string): Record<string, string>
  /**
   * Starts a login. Returns where the browser goes, and what the response is checked against. Rejects with
   * `UPSTREAM_ERROR` or `UPSTREAM_TIMEOUT` if the provider is not available.
   */
  start (
    provider: SsoProvider,
    login: { state: string, loginHint: string | null }
  ): Promise<{ url: string, data: Record<string, string> }>
  /** Returns where the browser goes to log out at the provider as well; `null` if the provider has no such page. */
  logoutUrl (provider: SsoProvider, session: SsoSession, hint: string | null): Promise<string | null>
}

/** The state that `adminOidc` and `adminSaml` share in one app. */
export interface SsoCore {
  /** The origin and base path that browsers reach the server at, without a slash at the end. */
  readonly publicUrl: string
  readonly now: () => number
  /** Adds a protocol with the providers that the host has configured. */
  use (protocol: SsoProtocol, configured: readonly ConfiguredProvider[]): void
  /** Returns an enabled provider. Throws `NOT_FOUND`. */
  find (kind: ProviderKind, id: string): Promise<SsoProvider>
  /**
   * Returns the login that a response belongs to, once: uses up its cookie and state. `null` for an unknown, expired,
   * repeated or foreign state, or another provider.
   */
  takeTransaction (
    request: FastifyRequest,
    reply: FastifyReply,
    response: { provider: SsoProvider, state: string }
  ): Promise<SsoTransaction | null>
  /**
   * Finishes a login: finds, links or creates the user, and redirects the browser to the login page with a code that it
   * exchanges for tokens, or with the reason of the refusal. Audits both.
   */
  finish (
    request: FastifyRequest,
    reply: FastifyReply,
    login: { provider: SsoProvider, returnTo: string | null, identity: ProvenIdentity }
  ): Promise<FastifyReply>
  /** Redirects the browser to the login page with the reason, logs `cause`, and audits the failure. */
  fail (
    request: FastifyRequest,
    reply: FastifyReply,
    failure: { provider: SsoProvider, reason: SsoFailure, detail: string, cause?: unknown }
  ): FastifyReply
  /**
   * Ends the sessions that a provider names in a logout, and audits each. Resolves with their number. A login that
   * has finished, but whose code the browser has not exchanged yet, starts no session afterwards.
   */
  endSessions (
    request: FastifyRequest,
    provider: SsoProvider,
    by: { subject?: string, providerSession?: string }
  ): Promise<number>
  /** Registers routes without an access token under `${prefix}/auth/sso/${kind}`, limited per client address. */
  routes (kind: ProviderKind, define: (scope: FastifyInstance) => Promise<void>): Promise<void>
}
