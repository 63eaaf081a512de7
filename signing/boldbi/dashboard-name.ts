/** Characters. Normalising takes quadratic time for some texts, and no name so long can be revoked. */
const NORMALISED = 1_024
const SPELLING = /[-{}()]/g
const DIGITS = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/

/**
 * The one spelling of a dashboard's name, in linear time. A GUID, with dashes anywhere or none, in braces or parentheses or none, is written in lower case
 * with its four dashes; anything else is taken for a path: in lower case, compatible characters as one (full-width letters, say), without spaces and
 * slashes around it or a folder's name. Empty for a name of nothing else.
 */
export function canonicalDashboard (name: string): string {
  const path = tidyPath(name)
  const plain = path.length > NORMALISED ? path : tidyPath(path.normalize('NFKC'))
  const [, ...parts] = DIGITS.exec(plain.replace(SPELLING, '')) ?? []
  return parts.length === 0 ? plain : parts.join('-')
}

function tidyPath (path: string): string {
  const folders: string[] = []
  // Not by split: a path of nothing but slashes would be as many texts.
  for (let start = 0, end = 0; start < path.length; start = end + 1) {
    end = path.indexOf('/', start)
    if (end === -1) end = path.length
    const folder = end === start ? '' : path.slice(start, end).trim()
    if (folder !== '') folders.push(folder)
  }
  return folders.join('/').toLowerCase()
}
