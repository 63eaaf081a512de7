// The order of the pages: as docs/README.md groups them.

/**
 * Returns the groups of pages: `[{ name: 'Start', pages: ['install', …] }]`.
 *
 * @param overview the text of docs/README.md
 */
export function groupsOf (overview) {
  const seen = new Set()
  return overview.split(/^## /m).slice(1).map((part) => ({
    name: part.slice(0, part.indexOf('\n')).trim(),
    pages: Array.from(part.matchAll(/\]\(([a-z0-9-]+)\.md\)/g), ([, page]) => page).filter((page) => {
      const isNew = !seen.has(page)
      seen.add(page)
      return isNew
    })
  }))
}
