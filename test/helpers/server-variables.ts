import type { TSchema } from '@sinclair/typebox'

import { EnvironmentSchema } from '../../server/config/environment.js'

const WIDTH = 120
const BLOCK = /(<!-- generated: variables -->\n)[\s\S]*(<!-- end of generated -->\n)/

interface Variable extends TSchema {
  about: string
  expected: string
  otherwise?: string
}

/** docs/server.md with the list of variables as the schema of the environment has it. */
export function withVariables (page: string): string {
  if (!BLOCK.test(page)) throw new Error('docs/server.md has no place for the variables')
  const items = Object.entries(EnvironmentSchema.properties).map(([name, schema]) =>
    itemOf(name, schema as unknown as Variable)
  )
  const note = 'This list is written by `scripts/variables.mjs`; do not edit it.'
  return page.replace(
    BLOCK,
    (_block, begin: string, end: string) => `${begin}\n${note}\n\n${items.join('\n')}\n\n${end}`
  )
}

function itemOf (name: string, { about, expected, otherwise, default: fallback }: Variable): string {
  const value = fallback === undefined ? otherwise : `\`${String(fallback)}\``
  const text = `- **\`${name}\`**: ${about}. Must be ${expected}.${value === undefined ? '' : ` Default: ${value}.`}`
  return wrapped(text, '  ')
}

/** The text in lines of at most 120 columns, all but the first one indented. */
function wrapped (text: string, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && `${line} ${word}`.length > WIDTH) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
