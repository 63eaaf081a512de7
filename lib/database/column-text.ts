// What a PostgreSQL text column cannot hold, NUL and lone surrogates, and the escape character itself.
const AWKWARD = /[\0\\\p{Cs}]/u
const EACH_AWKWARD = /[\0\\\p{Cs}]/gu
const ESCAPE = /\\(?:u([0-9a-f]{4})|\\)/g

/** A text as a text column can hold it; two texts never become the same one. Nearly every text stays as it is. */
export function toColumnText (text: string): string {
  return AWKWARD.test(text) ? text.replace(EACH_AWKWARD, escape) : text
}

/** The text that `toColumnText` was given. */
export function fromColumnText (column: string): string {
  return column.includes('\\') ? column.replace(ESCAPE, unescape) : column
}

function escape (character: string): string {
  return character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function unescape (_escape: string, hex: string | undefined): string {
  return hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16))
}
