import type { ScimUser, ScimUserFields } from '../../../contracts/token-store/index.js'
import { EMAIL_PATTERN } from '../../../schemas/admin-users.js'
import { ENTERPRISE_ATTRIBUTES, ENTERPRISE_URN, USER_ATTRIBUTES } from './attributes.js'
import { invalid } from './errors.js'
import { isObject, readAttributes } from './values.js'
import type { Attributes } from './values.js'

/** A user as a directory sees it: the fields that are stored, and the state of the member. */
export interface UserDocument extends ScimUserFields {
  active: boolean
}

const EMAIL = new RegExp(EMAIL_PATTERN)
const MAX_EMAIL = 254
const MAX_NAME = 256
const MAX_BYTES = 32_768
const LINE = /^[^\p{Cc}]+$/u

/**
 * Reads the attributes of a user. Read-only and unknown attributes are ignored. Default of `active`: `activeNow`.
 * Throws `invalidValue`.
 */
export function readUser (input: Attributes, activeNow = true): UserDocument {
  const { userName, externalId = null, active = activeNow, ...attributes } = readAttributes(input, USER_ATTRIBUTES)
  const extension = Object.entries(input).filter(([key]) => key.toLowerCase() === ENTERPRISE_URN.toLowerCase())
  const [[, values = undefined] = []] = extension
  if (extension.length > 1) throw invalid('invalidSyntax', 'The enterprise extension occurs twice')
  if (values !== undefined && values !== null) {
    if (!isObject(values)) throw invalid('invalidValue', 'The enterprise extension must be an object')
    const found = readAttributes(values, ENTERPRISE_ATTRIBUTES)
    if (Object.keys(found).length > 0) attributes[ENTERPRISE_URN] = found
  }
  if (Buffer.byteLength(JSON.stringify(attributes)) > MAX_BYTES) {
    throw invalid('invalidValue', `The attributes of a user have more than ${MAX_BYTES} bytes`)
  }
  return {
    userName: nameOf('userName', userName),
    externalId: externalId === null ? null : nameOf('externalId', externalId),
    active: active as boolean,
    attributes
  }
}

/** Returns a required name of one line. Throws `invalidValue`. */
export function nameOf (attribute: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw invalid('invalidValue', `${attribute} is missing`)
  if (value.length > MAX_NAME || !LINE.test(value)) {
    throw invalid('invalidValue', `${attribute} must be one line of at most ${MAX_NAME} characters`)
  }
  return value
}

/** Returns the stored user as a directory sees it. */
export function documentOf ({ userName, externalId, attributes, disabled }: ScimUser): UserDocument {
  return { userName, externalId, active: !disabled, attributes }
}

/** Returns the attributes of a user in one object, as a request sends them. */
export function flatten ({ userName, externalId, active, attributes }: UserDocument): Attributes {
  return { userName, ...externalId === null ? {} : { externalId }, active, ...attributes }
}

/**
 * Returns the email of the account, in lower case: the primary work address, else the primary, a work or the first
 * address, else a user name that is an address; `null` if there is none. Throws `invalidValue` for an address that is
 * not valid.
 */
export function emailOf ({ userName, attributes }: UserDocument): string | null {
  const emails = (attributes.emails ?? []) as Array<{ value?: string, type?: string, primary?: boolean }>
  const filled = emails.filter(({ value }) => value !== undefined)
  const isWork = ({ type }: { type?: string }) => type?.toLowerCase() === 'work'
  const chosen = filled.find((email) => email.primary === true && isWork(email)) ??
    filled.find(({ primary }) => primary === true) ?? filled.find(isWork) ?? filled[0]
  const email = chosen?.value ?? (isEmail(userName) ? userName : null)
  if (email !== null && !isEmail(email)) throw invalid('invalidValue', 'The work email is not a valid address')
  return email?.toLowerCase() ?? null
}

function isEmail (value: string): boolean {
  return value.length <= MAX_EMAIL && EMAIL.test(value)
}
