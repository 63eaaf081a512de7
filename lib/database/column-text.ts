// Characters that a PostgreSQL text column cannot store (NUL, lone surrogates), and the escape character.
const NEEDS_ESCAPE = /[\0\\\p{Cs}]/u
const ESCAPED_CHARACTERS = /[\0\\\p{Cs}]/gu
const ESCAPE = /\\(?:u([0-9a-f]{4})|\\)/g

/** Escapes a string for a text column; most strings stay unchanged. Different strings have different results. */
export function toColumnText (text: string): string {
  return NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED_CHARACTERS, escape) : text
}

/** Reverses `toColumnText`. */
export function fromColumnText (column: string): string {
  return column.includes('\\') ? column.replace(ESCAPE, unescape) : column
}

function escape (character: string): string {
  return character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function unescape (_escape: string, hex: string | undefined): string {
  return hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16))
}
