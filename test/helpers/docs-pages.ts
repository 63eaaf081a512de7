import { readFile, readdir } from 'node:fs/promises'

export const ROOT = new URL('../../', import.meta.url)

export interface CodeBlock {
  /** The heading that the block stands below, such as `Quick start`. */
  heading: string
  language: string
  code: string
}

export interface DocsPage {
  /** The path from the root of the repository, such as `docs/csrf.md`. */
  path: string
  text: string
}

/** The README and every page below docs/. */
export async function docsPages (): Promise<DocsPage[]> {
  const names = (await readdir(new URL('docs/', ROOT))).filter((name) => name.endsWith('.md')).sort()
  const paths = ['README.md', ...names.map((name) => `docs/${name}`)]
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(new URL(path, ROOT), 'utf8') })))
}

/** The headings of a page with their level, code blocks left out. */
export function headings (text: string): Array<{ level: number, title: string }> {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/^(#+) (.+)$/gm)].map(([, marks = '', title = '']) => ({ level: marks.length, title }))
}

export function codeBlocks (text: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let heading = ''
  for (const [, title, language, code] of text.matchAll(/^#+ (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title
    else blocks.push({ heading, language: language ?? '', code: code ?? '' })
  }
  return blocks
}

/** The first block of a language below a heading of any level. */
export function blockBelow (text: string, heading: string, language: string): string {
  const found = codeBlocks(text).find((block) => block.heading === heading && block.language === language)
  if (found === undefined) throw new Error(`no ${language} block below ${heading}`)
  return found.code
}

/** The source file of each entry of the package, by the specifier that an app imports. */
export async function sourcesByEntry (): Promise<Map<string, URL>> {
  const { exports } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as {
    exports: Record<string, string | { types: string }>
  }
  const entries = Object.entries(exports).flatMap(([name, target]) => typeof target === 'string'
    ? []
    : [[name.replace('.', 'fastify-gatehouse'), new URL(sourceOf(target.types), ROOT)] as const])
  return new Map(entries)
}

function sourceOf (types: string): string {
  const source = types.replace('./dist/', './')
  return source.startsWith('./web/') ? source : source.replace(/\.d\.ts$/, '.ts')
}
