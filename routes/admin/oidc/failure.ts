import { GatehouseError, UPSTREAM_ERROR } from '../../../lib/errors.js'
import { upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import type { SsoFailure } from '../sso/protocol.js'
import type { OidcPackages } from './packages.js'

/** A response of a provider that is not valid. The message names the failed check and contains no data. */
export class InvalidResponse extends Error {}

/** Why a login failed, without data of the response. */
export interface LoginFailure {
  reason: SsoFailure
  /** For the audit entry. */
  detail: string
  /** For the log. */
  cause: GatehouseError
}

/** Errors of the authorization endpoint that depend on the person: each means that nobody has logged in. */
const BY_PERSON: readonly string[] = ['access_denied', 'login_required', 'interaction_required', 'consent_required',
  'account_selection_required']
const BY_OUTAGE: readonly string[] = ['server_error', 'temporarily_unavailable']
/** Errors of oauth4webapi, whose messages are constant. */
const CONSTANT: readonly string[] = ['OperationProcessingError', 'UnsupportedOperationError']

/**
 * Returns why a login failed. Errors of openid-client contain the response, tokens included, so that none of them may
 * be logged.
 *
 * @param secrets what the provider may repeat in a message: the client secrets, the code and its verifier
 */
export function failureOf ({ client, jose }: OidcPackages, error: unknown, secrets: readonly string[]): LoginFailure {
  if (error instanceof client.AuthorizationResponseError) {
    const upstream = upstreamRefusal(0, { code: error.error, message: error.error_description }, secrets)
    const detail = `the provider refused the login: ${upstream.upstreamCode ?? 'no code'}`
    const reason = BY_PERSON.includes(error.error) ? 'access_denied' : undefined
    const outage = BY_OUTAGE.includes(error.error) ? 'provider_unavailable' : 'invalid_response'
    return { reason: reason ?? outage, detail, cause: new UPSTREAM_ERROR({ reason: detail, upstream }) }
  }
  if (error instanceof client.ResponseBodyError) {
    const fields = { code: error.error, message: error.error_description }
    const upstream = upstreamRefusal(error.status, fields, secrets)
    const detail = `the provider refused the token request: ${upstream.upstreamCode ?? 'no code'}`
    return { reason: 'invalid_response', detail, cause: new UPSTREAM_ERROR({ reason: detail, upstream }) }
  }
  const outage = gatehouseErrorIn(error)
  if (outage !== null) {
    return { reason: 'provider_unavailable', detail: outage.reason ?? outage.message, cause: outage }
  }
  const isOfJose = error instanceof jose.errors.JOSEError
  const detail = isOfJose ? `the ID token: ${error.message}` : constantMessage(error)
  return { reason: 'invalid_response', detail, cause: new UPSTREAM_ERROR({ reason: detail }) }
}

/** Returns the error of the suite that an error of the library wraps. */
export function gatehouseErrorIn (error: unknown): GatehouseError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof GatehouseError) return cause
  }
  return null
}

function constantMessage (error: unknown): string {
  if (error instanceof InvalidResponse) return error.message
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && CONSTANT.includes(cause.name)) return cause.message
  return error instanceof Error && error.name === 'ClientError' ? error.message : 'the response could not be read'
}
