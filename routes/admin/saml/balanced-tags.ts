/** A tag: `/` for an end tag, the name, and the attributes, whose last character is `/` for an empty element. */
const TAG = /<(\/?)([^\s<>/!?"'=]+)((?:"[^"<]*"|'[^'<]*'|[^<>"'])*)>/y

/**
 * Returns whether each start tag of a document has its end tag, and only tags and comments begin with `<`.
 * The parser `@xmldom/xmldom` ignores an end tag that fits no start tag, so that it could read a document differently
 * from the one that was signed.
 */
export function hasBalancedTags (xml: string): boolean {
  const open: string[] = []
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at)) {
    if (xml.startsWith('<!--', at)) {
      at = xml.indexOf('-->', at + 4)
      if (at === -1) return false
      continue
    }
    TAG.lastIndex = at
    const [tag, slash, name = '', attributes = ''] = TAG.exec(xml) ?? []
    // The first part that is no tag ends the search, so that its cost is linear.
    if (tag === undefined) return false
    if (slash === '/') {
      if (open.pop() !== name) return false
    } else if (!attributes.endsWith('/')) open.push(name)
    at += tag.length
  }
  return open.length === 0
}
