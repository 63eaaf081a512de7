import type { FastifyInstance, FastifyReply } from 'fastify'

import { sha256 } from '../../../signing/digest.js'
import { readParameters } from '../sign-in/parameters.js'
import { claimsOf } from './claims.js'
import { authenticateClient } from './client-authentication.js'
import { ACCESS_TOKEN_SECONDS } from './grants.js'
import type { Grant } from './grants.js'
import type { ProviderState } from './state.js'

const ID_TOKEN_SECONDS = 300
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/

/** The token endpoint: exchanges an authorization code for an access token and an ID token. */
export function tokenRoute (app: FastifyInstance, provider: ProviderState): void {
  const { client, grants, sessions, known } = provider

  app.post('/token', {
    errorHandler: (_error, _request, reply) => refuse(reply, 'invalid_request', 'The body must be a form')
  }, async (request, reply) => {
    const form = readParameters(request)
    if (form === null) return refuse(reply, 'invalid_request', 'A parameter is repeated')
    const caller = authenticateClient(request.headers.authorization, form, client)
    if (caller === 'invalid_request') return refuse(reply, caller, 'The client must authenticate in one way')
    if (caller === 'invalid_client') {
      reply.code(401).header('WWW-Authenticate', 'Basic realm="token", charset="UTF-8"')
      return refuse(reply, caller, 'The client is unknown or its secret is wrong')
    }
    const grantType = form.get('grant_type')
    if (grantType === undefined) return refuse(reply, 'invalid_request', 'grant_type is missing')
    if (grantType !== 'authorization_code') {
      return refuse(reply, 'unsupported_grant_type', 'grant_type must be authorization_code')
    }
    const [code, redirectUri, verifier] = [form.get('code'), form.get('redirect_uri'), form.get('code_verifier')]
    if (code === undefined) return refuse(reply, 'invalid_request', 'code is missing')
    if (redirectUri === undefined) return refuse(reply, 'invalid_request', 'redirect_uri is missing')
    if (verifier === undefined || !VERIFIER.test(verifier)) {
      return refuse(reply, 'invalid_request', 'code_verifier must have 43 to 128 unreserved characters')
    }
    const grant = grants.redeem(code)
    if (grant === null) return refuse(reply, 'invalid_grant', 'The code is unknown, expired or already used')
    if (grant.redirectUri !== redirectUri) {
      return refuse(reply, 'invalid_grant', 'redirect_uri differs from that of the authorization request')
    }
    if (sha256(verifier).toString('base64url') !== grant.codeChallenge) {
      return refuse(reply, 'invalid_grant', 'code_verifier does not match code_challenge')
    }
    if (!sessions.isLive(grant.session)) return refuse(reply, 'invalid_grant', 'The person has signed out')
    known.add(grant.session)
    return reply.header('Pragma', 'no-cache').send({
      access_token: grants.issueAccessToken(code, grant),
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_SECONDS,
      scope: grant.scopes.join(' '),
      id_token: await idToken(provider, grant)
    })
  })
}

function idToken ({ issuer, client, keys, now }: ProviderState, grant: Grant): Promise<string> {
  const { session: { id, person }, authTime, nonce, scopes } = grant
  const iat = Math.floor(now() / 1000)
  return keys.sign('JWT', {
    ...claimsOf(person, scopes),
    iss: issuer,
    aud: client.id,
    iat,
    exp: iat + ID_TOKEN_SECONDS,
    auth_time: Math.floor(authTime / 1000),
    ...nonce === null ? {} : { nonce },
    sid: id,
    amr: ['pwd']
  })
}

/** Sends an error of RFC 6749, section 5.2, with 400 unless the response already has a status. */
function refuse (reply: FastifyReply, error: string, description: string): FastifyReply {
  if (reply.statusCode === 200) reply.code(400)
  return reply.send({ error, error_description: description })
}
