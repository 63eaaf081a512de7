import { sameSecret } from '../../../signing/digest.js'
import type { Parameters } from '../sign-in/parameters.js'
import type { Client } from './state.js'

export type ClientVerdict = 'authenticated' | 'invalid_client' | 'invalid_request'

/**
 * Authenticates the client of a token request by `client_secret_basic` or `client_secret_post` (RFC 6749, section
 * 2.3.1). A request that uses both is invalid.
 */
export function authenticateClient (
  authorization: string | undefined,
  form: Parameters,
  client: Client
): ClientVerdict {
  const [formId, formSecret] = [form.get('client_id'), form.get('client_secret')]
  if (authorization !== undefined && formSecret !== undefined) return 'invalid_request'
  const [id, secret] = authorization === undefined ? [formId, formSecret] : basicCredentials(authorization) ?? []
  if (id === undefined || secret === undefined) return 'invalid_client'
  if (id !== (formId ?? id)) return 'invalid_request'
  return id === client.id && sameSecret(secret, client.secret) ? 'authenticated' : 'invalid_client'
}

/** Returns the client id and secret. Each is form-encoded inside the Basic credentials. */
function basicCredentials (authorization: string): [id: string, secret: string] | null {
  const [, base64] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(base64 ?? '', 'base64').toString()) ?? []
  if (id === undefined || secret === undefined) return null
  try {
    return [formDecode(id), formDecode(secret)]
  } catch {
    return null
  }
}

function formDecode (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
