import { createPublicKey, sign, verify } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'

import { InvalidMessage } from './xml.js'

const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
/** The accepted algorithms of query signatures, with the names of their hashes. */
const HASHES: ReadonlyMap<string, string> = new Map([
  [RSA_SHA256, 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'sha512']
])
const DEFLATE = 'urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE'
const MAX_MESSAGE_BYTES = 65_536

export type MessageName = 'SAMLRequest' | 'SAMLResponse'

/**
 * Returns the XML of a message in the HTTP-Redirect binding whose signature is valid (SAML bindings, section 3.4.4.1).
 * The signature covers the parameters as they are encoded in the URL. Throws `InvalidMessage`.
 *
 * @param query the query of the URL, as it arrived
 * @param certificates PEM; one of them must fit
 */
export function openSignedQuery (query: string, name: MessageName, certificates: readonly string[]): string {
  const parameters = rawParameters(query)
  const hash = HASHES.get(decoded(parameters, 'SigAlg') ?? '')
  const signature = decoded(parameters, 'Signature')
  if (signature === null) throw new InvalidMessage('the message is not signed')
  if (hash === undefined) throw new InvalidMessage('the signature algorithm is not accepted')
  if ((decoded(parameters, 'SAMLEncoding') ?? DEFLATE) !== DEFLATE) throw new InvalidMessage('SAMLEncoding is unknown')
  const signed = [name, 'RelayState', 'SigAlg'].filter((part) => parameters.has(part))
    .map((part) => `${part}=${parameters.get(part) ?? ''}`).join('&')
  const isValid = certificates.some((pem) =>
    verify(hash, Buffer.from(signed), createPublicKey(pem), Buffer.from(signature, 'base64'))
  )
  if (!isValid) throw new InvalidMessage('the signature is not valid')
  return inflate(decoded(parameters, name) ?? '')
}

/** Returns the raw values by name. Throws `InvalidMessage` for a repeated name, which has no clear value. */
function rawParameters (query: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of query.split('&')) {
    const end = part.indexOf('=')
    const name = end === -1 ? part : part.slice(0, end)
    if (parameters.has(name)) throw new InvalidMessage('a parameter is repeated')
    parameters.set(name, end === -1 ? '' : part.slice(end + 1))
  }
  return parameters
}

function decoded (parameters: ReadonlyMap<string, string>, name: string): string | null {
  const raw = parameters.get(name)
  if (raw === undefined) return null
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    throw new InvalidMessage('a parameter is not encoded')
  }
}

function inflate (base64: string): string {
  try {
    return inflateRawSync(Buffer.from(base64, 'base64'), { maxOutputLength: MAX_MESSAGE_BYTES }).toString()
  } catch {
    throw new InvalidMessage('the message is not compressed, or larger than 64 KiB')
  }
}

/**
 * Signs the message in the query of a URL. `@node-saml/node-saml` signs as well, but encodes some characters of
 * RelayState in one way for the signature and in another for the URL.
 *
 * @param key PEM
 */
export function signUrl (url: string, name: MessageName, key: string): string {
  const target = new URL(url)
  const values = [name, 'RelayState'].flatMap((part) => {
    const value = target.searchParams.get(part)
    target.searchParams.delete(part)
    return value === null ? [] : [`${part}=${encodeURIComponent(value)}`]
  })
  const signed = [...values, `SigAlg=${encodeURIComponent(RSA_SHA256)}`].join('&')
  const signature = encodeURIComponent(sign('sha256', Buffer.from(signed), key).toString('base64'))
  target.search += `${target.search === '' ? '?' : '&'}${signed}&Signature=${signature}`
  return target.toString()
}
