import type { SiteCorsOptions } from '../../plugins/site-cors.js'
import { AUTH_KEY_HEADER } from './auth-key.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** What components of different ages send, and what the suite's own guards read. */
const HEADERS = [
  'accept', 'authorization', 'content-type', 'x-captcha-token', 'x-csrf-token', 'x-plugin-origin', 'x-plugin-token', AUTH_KEY_HEADER, 'x-user-reference'
]

/** CORS for the component's calls: without the header of the key none of them could be made. */
export function componentCors (cors: SiteCorsOptions | undefined): SiteCorsOptions | undefined {
  if (cors === undefined) return undefined
  const allowed = new Set([...cors.allowedHeaders ?? HEADERS, AUTH_KEY_HEADER].map((name) => name.toLowerCase()))
  return { methods: METHODS, ...cors, allowedHeaders: [...allowed] }
}
