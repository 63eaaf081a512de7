import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import { AUTH_KEY_HEADER } from './auth-key.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** CORS for the component's calls. A host's own `allowedHeaders` is extended by the key's header, which every call needs. */
export function componentCors (cors: SiteCorsOptions | undefined): SiteCorsOptions | undefined {
  if (cors === undefined) return undefined
  const { allowedHeaders } = cors
  if (allowedHeaders === undefined) return { methods: METHODS, ...cors }
  return { methods: METHODS, ...cors, allowedHeaders: [...new Set([...allowedHeaders, AUTH_KEY_HEADER].map((name) => name.toLowerCase()))] }
}
