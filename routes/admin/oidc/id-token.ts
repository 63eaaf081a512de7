import { createHash } from 'node:crypto'

import type { IDToken } from 'openid-client'

import { CLOCK_TOLERANCE_SECONDS } from './client-configuration.js'
import type { Tokens } from './code-exchange.js'
import { InvalidResponse } from './failure.js'
import type { KnownProvider } from './known-providers.js'
import type { OidcPackages } from './packages.js'
import type { CompleteSettings } from './settings.js'

/**
 * Verifies the signature of an ID token, whose claims `exchangeCode` has checked, and what openid-client does not
 * check. Returns the claims. Rejects with `InvalidResponse`, with an error of jose, or with `UNAVAILABLE` if the keys
 * are unknown and the provider does not respond.
 */
export async function verifiedClaims (
  { jose }: OidcPackages,
  { keys }: KnownProvider,
  settings: CompleteSettings,
  { tokens, now }: { tokens: Tokens, now: number }
): Promise<IDToken> {
  const algorithm = settings.id_token_signed_response_alg
  await jose.compactVerify(tokens.id_token ?? '', (header, token) => keys.find(header, token), {
    algorithms: [algorithm]
  })
  const claims = tokens.claims()
  if (claims === undefined) throw new InvalidResponse('the response has no ID token')
  checkClaims(claims, settings, now)
  if (claims['at_hash'] !== undefined && claims['at_hash'] !== accessTokenHash(tokens.access_token, algorithm)) {
    throw new InvalidResponse('the ID token belongs to another access token (at_hash)')
  }
  return claims
}

function checkClaims (
  claims: IDToken,
  { client_id: clientId, tenant, hosted_domain: hostedDomain }: CompleteSettings,
  now: number
): void {
  if (claims.azp !== undefined && claims.azp !== clientId) {
    throw new InvalidResponse('the ID token was issued to another client (azp)')
  }
  if (claims.iat > now / 1_000 + CLOCK_TOLERANCE_SECONDS) {
    throw new InvalidResponse('the ID token was issued in the future (iat)')
  }
  if (claims.sub === '' || claims.sub.length > 255) {
    throw new InvalidResponse('the subject of the ID token is empty or longer than 255 characters (sub)')
  }
  if (tenant !== undefined && claims['tid'] !== tenant) {
    throw new InvalidResponse('the person belongs to another tenant (tid)')
  }
  if (hostedDomain !== undefined && claims['hd'] !== hostedDomain) {
    throw new InvalidResponse('the person belongs to another hosted domain (hd)')
  }
}

/** Returns the left half of the hash of an access token (OpenID Connect Core 1.0, section 3.1.3.6). */
function accessTokenHash (accessToken: string, algorithm: string): string {
  const digest = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256').update(accessToken).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
