import * as errors from '../../lib/errors.js'
import type { PublicError } from '../../lib/errors.js'
import { BY_STATUS } from '../../lib/refuse.js'
import type { Response } from './document.js'
import type { Schema } from './example.js'

/** The error of a status, where a route has no other. */
const ERRORS: Readonly<Record<string, PublicError>> = {
  ...BY_STATUS,
  400: errors.INVALID_REQUEST,
  500: errors.INTERNAL_ERROR
}

/** The body of an error: of SCIM, of OAuth, of the suite, or an image. */
export function refusalOf (status: string, schema: Schema = {}): unknown {
  const kind = ERRORS[status]
  if (kind === undefined) return undefined
  const { code, message } = new kind()
  if (schema.properties?.error_description !== undefined) {
    return { error: 'invalid_request', error_description: message }
  }
  if (isScim(schema)) return { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status, detail: message }
  return schema.type === 'string' ? 'GIF89a, 1 by 1 pixel, transparent' : { error: { code, message } }
}

/** The name of a refusal among the components of the document: `RateLimited`, `ScimRateLimited`, `PixelRateLimited`. */
export function nameOfRefusal (status: string, { content = {} }: Response): string {
  const { code } = new (ERRORS[status] ?? errors.INTERNAL_ERROR)()
  const words = code.split('_').map((word) => word.charAt(0) + word.slice(1).toLowerCase())
  const prefix = 'image/gif' in content ? 'Pixel' : isScim(content['application/json']?.schema) ? 'Scim' : ''
  return prefix + words.join('')
}

function isScim ({ properties }: Schema = {}): boolean {
  return properties?.scimType !== undefined
}
