import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import { AUTH_KEY_HEADER } from './auth-key.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Returns the CORS options for the component's calls. Adds the key's header to `allowedHeaders`. */
export function componentCors (cors: SiteCorsOptions | undefined): SiteCorsOptions | undefined {
  if (cors === undefined) return undefined
  const { allowedHeaders } = cors
  if (allowedHeaders === undefined) return { methods: METHODS, ...cors }
  return {
    methods: METHODS,
    ...cors,
    allowedHeaders: [...new Set([...allowedHeaders, AUTH_KEY_HEADER].map((name) => name.toLowerCase()))]
  }
}
