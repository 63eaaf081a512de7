const MAX_LENGTH = 256
// Quotes, and what databases may take for one when they convert it, semicolons, backslashes, C0 and C1 controls, DEL.
// eslint-disable-next-line no-control-regex
const UNSAFE = /['"`;\\\u0000-\u001f\u007f-\u009f\u02b9-\u02bc\u2018-\u201f\u2032\u2033\uff02\uff07\uff1b\uff40\uff3c]/

/**
 * Why an id must not become a `clientId`, or `null` if it may. The product substitutes it into the SQL of row policies, and `None` there
 * means no tenancy at all.
 */
export function clientIdFault (id: unknown): string | null {
  if (typeof id !== 'string') return 'is no text'
  if (id.trim() === '') return 'is empty'
  if (id.trim() === 'None') return 'is "None", which switches row policies off'
  if (id.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  return UNSAFE.test(id) ? 'has quotes, semicolons, backslashes or control characters' : null
}
