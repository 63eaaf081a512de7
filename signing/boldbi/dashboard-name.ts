/** Characters. Unicode normalisation can take quadratic time, and a longer name cannot be revoked. */
const MAX_NORMALISED_LENGTH = 1_024
const GUID_PUNCTUATION = /[-{}()]/g
const GUID_DIGITS = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/

/**
 * Returns the canonical spelling of a dashboard's id or path, in linear time. A GUID, with or without dashes, braces or
 * parentheses, becomes lower case with four dashes. Any other string is a path: it becomes lower case, compatible
 * characters (such as full-width letters) are unified, and spaces and slashes around the path and each folder are
 * removed. A name of only spaces and slashes becomes the empty string.
 *
 * @example
 * canonicalDashboard('/Sales/ Overview ') // 'sales/overview'
 */
export function canonicalDashboard (name: string): string {
  const path = normalisePath(name)
  const plain = path.length > MAX_NORMALISED_LENGTH ? path : normalisePath(path.normalize('NFKC'))
  const [, ...parts] = GUID_DIGITS.exec(plain.replace(GUID_PUNCTUATION, '')) ?? []
  return parts.length === 0 ? plain : parts.join('-')
}

function normalisePath (path: string): string {
  const folders: string[] = []
  // Not split('/'), which would create one string per slash.
  for (let start = 0, end = 0; start < path.length; start = end + 1) {
    end = path.indexOf('/', start)
    if (end === -1) end = path.length
    const folder = end === start ? '' : path.slice(start, end).trim()
    if (folder !== '') folders.push(folder)
  }
  return folders.join('/').toLowerCase()
}
