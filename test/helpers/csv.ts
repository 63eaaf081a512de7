/** Reads CSV by the grammar of RFC 4180; throws at the first character that it does not allow. */
export function parseCsv (text: string): string[][] {
  const records: string[][] = [[]]
  const field = /"((?:[^"]|"")*)"(,|\r\n)|([^",\r\n]*)(,|\r\n)/y
  while (field.lastIndex < text.length) {
    const at = field.lastIndex
    const [, quoted, afterQuoted, plain, afterPlain] = field.exec(text) ?? []
    const end = afterQuoted ?? afterPlain
    if (end === undefined) throw new Error(`not CSV at ${at}: ${text.slice(at, at + 40)}`)
    records.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end === '\r\n') records.push([])
  }
  return records.slice(0, -1)
}
