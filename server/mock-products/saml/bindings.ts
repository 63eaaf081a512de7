import { deflateRawSync, inflateRawSync } from 'node:zlib'

import type { FastifyRequest } from 'fastify'

import { readParameters } from '../sign-in/parameters.js'
import { signQuery, verifyQuery, verifyXml } from './signatures.js'
import type { ProviderState } from './state.js'
import { parseXml } from './xml.js'

const LARGEST = 65_536
/** The largest relay state, in bytes (SAML bindings, sections 3.4.3 and 3.5.3). */
const LARGEST_RELAY_STATE = 80
const DEFLATE = 'urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE'

type MessageName = 'SAMLRequest' | 'SAMLResponse'

/** A received message, whose signature is valid if the app has a certificate. */
export interface Message {
  name: MessageName
  /** Whether it came by HTTP POST; otherwise by HTTP redirect. */
  isPost: boolean
  root: Element
  relayState: string | null
}

/** Reads a message in the HTTP-Redirect or HTTP-POST binding. Returns the reason if it is not valid. */
export function readMessage (request: FastifyRequest, { sp: { certificate }, xml }: ProviderState): Message | string {
  const { method, raw: { url = '' } } = request
  const isPost = method === 'POST'
  const parameters = readParameters(request)
  if (parameters === null) return 'A parameter is repeated.'
  const [saml, answer] = [parameters.get('SAMLRequest'), parameters.get('SAMLResponse')]
  if ((saml === undefined) === (answer === undefined)) return 'There must be one SAMLRequest or one SAMLResponse.'
  const name = saml === undefined ? 'SAMLResponse' : 'SAMLRequest'
  const relayState = parameters.get('RelayState') ?? null
  if (Buffer.byteLength(relayState ?? '') > LARGEST_RELAY_STATE) return 'RelayState is longer than 80 bytes.'
  if (!isPost && (parameters.get('SAMLEncoding') ?? DEFLATE) !== DEFLATE) return 'SAMLEncoding must be DEFLATE.'
  const text = decode(saml ?? answer ?? '', isPost)
  if (text === null) return isPost ? 'The message must be base64.' : 'The message must be base64 of raw DEFLATE.'
  const unsigned = parseXml(xml, text)
  if (unsigned === null) return 'The message must be well-formed XML without a DTD.'
  if (certificate === null) return { name, isPost, root: unsigned, relayState }
  const root = isPost
    ? verifyXml(xml, text, certificate)
    : verifyQuery(url.slice(url.indexOf('?') + 1), name, certificate) ? unsigned : null
  return root === null ? 'The signature is missing or not valid.' : { name, isPost, root, relayState }
}

/** Returns the URL that sends a message in the HTTP-Redirect binding, signed. */
export function redirectUrl (
  target: string,
  name: MessageName,
  xml: string,
  relayState: string | null,
  { keys }: Pick<ProviderState, 'keys'>
): string {
  const message = encodeURIComponent(deflateRawSync(Buffer.from(xml)).toString('base64'))
  const relay = relayState === null ? '' : `&RelayState=${encodeURIComponent(relayState)}`
  return `${target}${target.includes('?') ? '&' : '?'}${signQuery(`${name}=${message}${relay}`, keys.newest)}`
}

function decode (sent: string, isPost: boolean): string | null {
  const base64 = isPost ? sent.replace(/[\r\n]/g, '') : sent
  if (!/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return null
  try {
    const bytes = Buffer.from(base64, 'base64')
    const plain = isPost ? bytes : inflateRawSync(bytes, { maxOutputLength: LARGEST })
    return plain.length > LARGEST ? null : new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch {
    return null
  }
}
