// The index of the search: small enough to be loaded when the reader opens the search.

const COMMON = new Set(('a an and are as at be by can does for from has have if in into is it its of on one only or ' +
  'other same so than that the their them then there these they this to was when which with without').split(' '))

/**
 * Returns `{ pages: [[name, title]], sections: [[page, anchor, heading, start, words]] }`: for each section the start of
 * its text to show, and its words to find it.
 */
export function indexOf (pages) {
  return {
    pages: pages.map(({ name, title }) => [name, title]),
    sections: pages.flatMap(({ sections }, page) => sections.map(({ id, level, heading, text }) => [
      page, level === 1 ? '' : id, heading, startOf(text), wordsOf(text)
    ]))
  }
}

function startOf (text) {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 90 ? line : `${line.slice(0, line.lastIndexOf(' ', 88))} …`
}

function wordsOf (text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]{2,30}/gu) ?? []
  return [...new Set(words)].filter((word) => !COMMON.has(word)).join(' ')
}
