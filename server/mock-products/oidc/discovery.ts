import type { FastifyInstance } from 'fastify'

import { PROMPTS } from './authorization-request.js'
import { SCOPES } from './claims.js'
import type { SigningAlgorithm } from './keys.js'
import type { ProviderState } from './state.js'

/** The discovery document (OpenID Connect Discovery 1.0) and the key set. */
export function discoveryRoutes (app: FastifyInstance, provider: ProviderState, algorithm: SigningAlgorithm): void {
  app.get('/.well-known/openid-configuration', async () => {
    const { issuer, client } = provider
    const hasBackchannel = client.backchannelLogoutUrl !== null
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: `${issuer}/end-session`,
      scopes_supported: SCOPES,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [algorithm],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
      claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'sid', 'amr', 'email',
        'email_verified', 'name', 'given_name', 'family_name', 'preferred_username', 'groups'],
      prompt_values_supported: PROMPTS,
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: hasBackchannel,
      backchannel_logout_session_supported: hasBackchannel,
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false
    }
  })
  app.get('/jwks', async () => provider.keys.publicKeys())
}
