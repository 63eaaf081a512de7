// One step of an array literal: an opening or closing brace, a quoted item, a bare item, or the comma between two.
const STEP = /([{}])|"((?:[^"\\]|\\.)*)"|([^{},"]+)|,/gsy

/** Reads a PostgreSQL array literal, nested ones included; NULL becomes `null`. */
export function parseArray (literal: string, parse: (text: string) => unknown): unknown[] {
  const root: unknown[] = []
  const open: unknown[][] = [root]
  // Bounds that do not start at 1 are written in front: [0:1]={a,b}
  STEP.lastIndex = literal.startsWith('[') ? literal.indexOf('=') + 1 : 0
  for (let step = STEP.exec(literal); step !== null; step = STEP.exec(literal)) {
    const [, brace, quoted, bare] = step
    const current = open.at(-1) ?? root
    if (brace === '{') {
      const nested: unknown[] = []
      current.push(nested)
      open.push(nested)
    } else if (brace === '}') {
      open.pop()
    } else if (quoted !== undefined) {
      current.push(parse(quoted.replace(/\\(.)/gs, '$1')))
    } else if (bare !== undefined) {
      current.push(bare === 'NULL' ? null : parse(bare))
    }
  }
  return root[0] as unknown[]
}
