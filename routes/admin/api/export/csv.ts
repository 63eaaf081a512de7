/** Spreadsheets read a cell that starts so as a formula, also in full-width characters. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/

/**
 * Returns cells as a record of CSV (RFC 4180). A cell that a spreadsheet would read as a formula starts with an
 * apostrophe.
 */
export function csvLine (cells: readonly string[]): string {
  return `${cells.map(toCell).join(',')}\r\n`
}

function toCell (text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
