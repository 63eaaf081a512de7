export type Format = 'ndjson' | 'csv'

interface StateLine {
  id?: string
  export?: { complete: boolean, cursor: string | null }
}

/** Splits the text of an export into records, so that an export can continue after the last complete one. */
export class RecordReader {
  /** The id of the last complete record, after which the export continues; `undefined` before the first one. */
  cursor: string | undefined
  /** Whether the last line says that nothing follows. CSV has no such line: its response ends without an error. */
  isComplete: boolean
  /** Complete records so far. */
  count = 0
  readonly #format: Format
  readonly #isContinued: boolean
  #rest = ''
  #hasHeader: boolean

  constructor (format: Format, isContinued: boolean) {
    this.#format = format
    this.#isContinued = isContinued
    this.#hasHeader = format === 'csv'
    this.isComplete = format === 'csv'
  }

  /** Returns the complete records of the text so far, for the file. */
  read (text: string): string {
    const all = this.#rest + text
    const { records, end } = this.#format === 'csv' ? splitCsv(all) : splitLines(all)
    this.#rest = all.slice(end)
    return records.filter((record) => this.#belongs(record)).join('')
  }

  #belongs (record: string): boolean {
    if (this.#hasHeader) {
      this.#hasHeader = false
      return !this.#isContinued
    }
    if (this.#format === 'csv') {
      this.cursor = /^"?([^",]+)/.exec(record)?.[1] ?? this.cursor
    } else {
      const { id, export: state } = JSON.parse(record) as StateLine
      if (id === undefined && state !== undefined) {
        this.isComplete = state.complete
        this.cursor = state.cursor ?? this.cursor
        return false
      }
      this.cursor = id
    }
    this.count++
    return true
  }
}

interface Split {
  /** Complete records, each with its line break. */
  records: string[]
  /** Where the incomplete record starts. */
  end: number
}

function splitLines (text: string): Split {
  const end = text.lastIndexOf('\n') + 1
  const lines = text.slice(0, end).split('\n')
  lines.pop()
  return { records: lines.map((line) => `${line}\n`), end }
}

/** A line break within quotes belongs to a cell. */
function splitCsv (text: string): Split {
  const records: string[] = []
  let end = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) isQuoted = !isQuoted
    if (character !== LINE_FEED || isQuoted) continue
    records.push(text.slice(end, at + 1))
    end = at + 1
  }
  return { records, end }
}

const QUOTE = 34
const LINE_FEED = 10
