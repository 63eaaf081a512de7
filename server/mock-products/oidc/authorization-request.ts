import type { Parameters } from '../sign-in/parameters.js'
import type { Client } from './state.js'

/** A valid authorization request. */
export interface AuthorizationRequest {
  redirectUri: string
  codeChallenge: string
  state: string | null
  nonce: string | null
  scopes: readonly string[]
  prompts: readonly string[]
  /** Milliseconds; `null`: any age of the sign-in is accepted. */
  maxAge: number | null
  loginHint: string | null
  idTokenHint: string | null
}

/** An error that the app receives at its redirect URI. */
export interface AuthorizationError {
  error: string
  description: string
}

export type AuthorizationVerdict =
  /** The redirect URI cannot be trusted, so that the provider shows the error itself. */
  | { verdict: 'refused', reason: string }
  | { verdict: 'error', redirectUri: string, state: string | null, error: AuthorizationError }
  | { verdict: 'valid', request: AuthorizationRequest }

export const PROMPTS = ['none', 'login', 'consent', 'select_account']
/** The base64url form of a SHA-256. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/
const SECONDS = /^[0-9]{1,9}$/

/**
 * Reads an authorization request for the code flow of OpenID Connect Core 1.0 (section 3.1.2.1) with PKCE (RFC 7636),
 * whose method must be S256.
 */
export function readAuthorizationRequest (parameters: Parameters | null, client: Client): AuthorizationVerdict {
  if (parameters === null) return { verdict: 'refused', reason: 'A parameter is repeated.' }
  const get = (name: string): string | null => parameters.get(name) ?? null
  if (get('client_id') !== client.id) return { verdict: 'refused', reason: 'client_id is missing or unknown.' }
  const redirectUri = get('redirect_uri')
  if (redirectUri === null || !client.redirectUris.includes(redirectUri)) {
    return { verdict: 'refused', reason: 'redirect_uri is not registered for this client.' }
  }
  const state = get('state')
  const error = errorOf(get)
  if (error !== null) return { verdict: 'error', redirectUri, state, error }
  const maxAge = get('max_age')
  return {
    verdict: 'valid',
    request: {
      redirectUri,
      codeChallenge: get('code_challenge') ?? '',
      state,
      nonce: get('nonce'),
      scopes: wordsOf(get('scope')),
      prompts: wordsOf(get('prompt')),
      maxAge: maxAge === null ? null : Number(maxAge) * 1000,
      loginHint: get('login_hint'),
      idTokenHint: get('id_token_hint')
    }
  }
}

function errorOf (get: (name: string) => string | null): AuthorizationError | null {
  const invalid = (description: string) => ({ error: 'invalid_request', description })
  for (const name of ['request', 'request_uri', 'registration']) {
    if (get(name) !== null) return { error: `${name}_not_supported`, description: `${name} is not supported` }
  }
  const responseType = get('response_type')
  if (responseType === null) return invalid('response_type is missing')
  if (responseType !== 'code') return { error: 'unsupported_response_type', description: 'response_type must be code' }
  if ((get('response_mode') ?? 'query') !== 'query') return invalid('response_mode must be query')
  if (!wordsOf(get('scope')).includes('openid')) {
    return { error: 'invalid_scope', description: 'scope must include openid' }
  }
  // Without a method, the challenge is the verifier itself (plain).
  if (get('code_challenge_method') !== 'S256') return invalid('code_challenge_method must be S256')
  if (!CHALLENGE.test(get('code_challenge') ?? '')) return invalid('code_challenge must be the SHA-256 of a verifier')
  const prompts = wordsOf(get('prompt'))
  if (!prompts.every((prompt) => PROMPTS.includes(prompt))) return invalid('prompt has an unknown value')
  if (prompts.includes('none') && prompts.length > 1) return invalid('prompt=none must be the only value')
  if (!SECONDS.test(get('max_age') ?? '0')) return invalid('max_age must be a number of seconds')
  return null
}

function wordsOf (text: string | null): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '')
}
