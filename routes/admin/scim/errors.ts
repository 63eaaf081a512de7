import { CONFLICT, INVALID_REQUEST } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { SCIM_ERROR } from '../../../schemas/scim.js'

/** The detail codes of RFC 7644, section 3.12. */
export type ScimType =
  | 'invalidFilter' | 'invalidPath' | 'invalidSyntax' | 'invalidValue' | 'mutability' | 'noTarget' | 'tooMany'
  | 'uniqueness'

/** The media type of RFC 7644, section 3.1. */
export const SCIM_MEDIA_TYPE = 'application/scim+json'

const types = new WeakMap<GatehouseError, ScimType>()

/** Creates a 400 error with a detail code. */
export function invalid (scimType: ScimType, message: string): GatehouseError {
  const error = new INVALID_REQUEST({ message })
  types.set(error, scimType)
  return error
}

/** Adds a detail code to the error if the store refuses a change with `CONFLICT`. */
export async function conflictsAs<Result> (scimType: ScimType, result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    if (error instanceof CONFLICT) types.set(error, scimType)
    throw error
  }
}

/** Returns an error in the format of RFC 7644, section 3.12. */
export function formatScimError (error: GatehouseError): { mediaType: string, body: string } {
  const { statusCode, message, details = [] } = error
  const scimType = types.get(error) ?? DEFAULT_TYPES[error.code]
  const body = JSON.stringify({
    schemas: [SCIM_ERROR],
    status: String(statusCode),
    ...scimType === undefined ? {} : { scimType },
    detail: [message, ...details.map((detail) => `${detail.path} ${detail.message}`.trim())].join('; ')
  })
  return { mediaType: SCIM_MEDIA_TYPE, body }
}

const DEFAULT_TYPES: Readonly<Record<string, ScimType>> = {
  INVALID_JSON: 'invalidSyntax',
  INVALID_REQUEST: 'invalidValue'
}
