const MAX_LENGTH = 256
// Quotes, characters that databases may convert to quotes, semicolons, backslashes, C0 and C1 controls, DEL.
// eslint-disable-next-line no-control-regex
const UNSAFE = /['"`;\\\u0000-\u001f\u007f-\u009f\u02b9-\u02bc\u2018-\u201f\u2032\u2033\uff02\uff07\uff1b\uff40\uff3c]/

/**
 * Returns why an id is not a safe `clientId`, or `null` if it is. DataBrain inserts the id into the SQL of row
 * policies, where `None` disables the policies.
 */
export function clientIdProblem (id: unknown): string | null {
  if (typeof id !== 'string') return 'is not a string'
  if (id.trim() === '') return 'is empty'
  if (id.trim() === 'None') return 'is "None", which disables row policies'
  if (id.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  return UNSAFE.test(id) ? 'contains quotes, semicolons, backslashes or control characters' : null
}
