import type { DocsPage } from './docs-pages.js'

export interface OptionTable {
  path: string
  /** The exported type whose members the table lists. */
  type: string
  rows: Array<{ name: string, fallback: string | undefined }>
}

/** The tables of a page that follow a comment such as `<!-- options: CsrfOptions -->`. */
export function optionTables ({ path, text }: DocsPage): OptionTable[] {
  return [...text.matchAll(/<!-- options: (\w+) -->\n\n?((?:\|.*\n)+)/g)].map(([, type = '', table = '']) => {
    const [head = [], , ...lines] = table.trimEnd().split('\n').map(cellsOf)
    const at = head.indexOf('default')
    const rows = lines.flatMap((cells) => [...(cells[0] ?? '').matchAll(/`(\w+)(?:\([^`]*\))?`/g)]
      .map(([, name = '']) => ({ name, fallback: cells[at] })))
    return { path, type, rows }
  })
}

function cellsOf (line: string): string[] {
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
}
