import { UNSUPPORTED_MEDIA_TYPE } from '../errors.js'
import type { GatehouseError } from '../errors.js'

const REASONS = {
  type: 'the Content-Type is not accepted',
  charset: 'the charset of the Content-Type is not UTF-8',
  encoding: 'the Content-Encoding is not accepted'
} as const

/** Creates the 415 error for a body whose media type, charset or content encoding is not supported. */
export function unsupported (part: keyof typeof REASONS): GatehouseError {
  return new UNSUPPORTED_MEDIA_TYPE({ reason: REASONS[part] })
}
