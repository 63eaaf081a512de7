import type { Parameters } from '../sign-in/parameters.js'
import type { ProviderState } from './state.js'

/** A valid request of the app to end the session at the provider. */
export interface LogoutRequest {
  /** Where the browser goes afterwards; `null`: it stays at the provider. */
  redirectUri: string | null
  state: string | null
  /** The session of the ID token in the request; `null` without one. */
  sid: string | null
}

/** Returns the logout request in parameters, or the reason why it is not valid. */
export async function readLogoutRequest (
  parameters: Parameters | null,
  { client, keys }: Pick<ProviderState, 'client' | 'keys'>
): Promise<LogoutRequest | string> {
  if (parameters === null) return 'A parameter is repeated.'
  const get = (name: string): string | null => parameters.get(name) ?? null
  const [clientId, hint] = [get('client_id'), get('id_token_hint')]
  if (clientId !== null && clientId !== client.id) return 'client_id is unknown.'
  // An expired ID token is accepted, because the session may be older. All ID tokens are for the only client.
  const claims = hint === null ? null : await keys.verifyIdToken(hint)
  if (hint !== null && claims === null) return 'id_token_hint is not an ID token of this provider.'
  const redirectUri = get('post_logout_redirect_uri')
  if (redirectUri !== null) {
    if (clientId === null && claims === null) return 'post_logout_redirect_uri needs id_token_hint or client_id.'
    if (!client.postLogoutRedirectUris.includes(redirectUri)) {
      return 'post_logout_redirect_uri is not registered for this client.'
    }
  }
  const sid = claims?.['sid']
  return { redirectUri, state: get('state'), sid: typeof sid === 'string' ? sid : null }
}
