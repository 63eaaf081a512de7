import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'

import { ROOT, codeBlocks } from './docs-pages.js'
import type { DocsPage } from './docs-pages.js'

/** What fragments of the documentation leave to the reader. */
const PRELUDE = `
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
declare global {
  const app: FastifyInstance
  const handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
  function signedInUser (request: FastifyRequest): Promise<any>
}
`
const CANNOT_FIND_NAME = [2304, 2552, 2580, 2582, 18004]
const NO_SUCH_PROPERTY = 2339
const NO_SUCH_MODULE = 2307

export interface OptionMember {
  name: string
  /** The text behind `Default:` in the documentation comment; `undefined`: the comment names none. */
  fallback: string | undefined
}

export interface DocsProgram {
  /** The members of every exported type whose name ends with `Options`, by its name. */
  options: Map<string, OptionMember[]>
  /** The errors of a page's code, each with the place in the block. */
  errorsOf (path: string): string[]
  /** How many blocks of a page were checked. */
  checked (path: string): number
}

/** Compiles the js and ts blocks of the pages against the sources of the package. */
export function docsProgram (pages: readonly DocsPage[], entries: ReadonlyMap<string, URL>): DocsProgram {
  const root = fileURLToPath(ROOT)
  const prelude = `${root}docs/.prelude.ts`
  const files = new Map([[prelude, PRELUDE]])
  const namesOf = new Map<string, string[]>()
  for (const { path, text } of pages) {
    const blocks = codeBlocks(text).filter(({ language }) => language === 'js' || language === 'ts')
    const names = blocks.map((_block, at) => `${root}docs/.${path.replace(/\W/g, '-')}-${at + 1}.ts`)
    blocks.forEach(({ code }, at) => files.set(names[at] ?? '', `${code}\nexport {}\n`))
    namesOf.set(path, names)
  }
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
    types: ['node'],
    strict: true,
    // The blocks are JavaScript: there `process.env.NAME` is given as it is.
    strictNullChecks: false,
    noImplicitAny: false,
    strictPropertyInitialization: false,
    useUnknownInCatchVariables: false,
    skipLibCheck: true,
    noEmit: true,
    paths: Object.fromEntries(Array.from(entries, ([name, url]) => [name, [fileURLToPath(url)]]))
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? (fileExists(name) ? readFileSync(name, 'utf8') : undefined)
  host.getSourceFile = (name, language, ...rest) => {
    const code = files.get(name)
    return code === undefined ? getSourceFile(name, language, ...rest) : ts.createSourceFile(name, code, language, true)
  }
  const sources = Array.from(entries.values(), (url) => fileURLToPath(url))
  const program = ts.createProgram({ rootNames: [...sources, ...files.keys()], options, host })
  return {
    options: exportedOptions(program, sources),
    errorsOf: (path) => (namesOf.get(path) ?? []).flatMap((name) => errorsIn(program, name)),
    checked: (path) => namesOf.get(path)?.length ?? 0
  }
}

function errorsIn (program: ts.Program, name: string): string[] {
  const file = program.getSourceFile(name)
  if (file === undefined) return [`${name} was not read`]
  const whole = file.text.includes('import Fastify from')
  const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
  return found.filter((diagnostic) => whole || !isLeftToTheReader(diagnostic)).map(({ start = 0, messageText }) => {
    const line = file.getLineAndCharacterOfPosition(start).line + 1
    return `${name.slice(name.lastIndexOf('/') + 2)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

/** A fragment may use names and files of the reader's own app, and libraries of a product's page. */
function isLeftToTheReader ({ code, messageText }: ts.Diagnostic): boolean {
  if (CANNOT_FIND_NAME.includes(code)) return true
  const text = ts.flattenDiagnosticMessageText(messageText, ' ')
  if (code === NO_SUCH_PROPERTY) return /on type '(Window|FastifyRequest|FastifyInstance)\b/.test(text)
  return code === NO_SUCH_MODULE && !text.includes('fastify-gatehouse')
}

function exportedOptions (program: ts.Program, sources: readonly string[]): Map<string, OptionMember[]> {
  const checker = program.getTypeChecker()
  const found = new Map<string, OptionMember[]>()
  for (const source of sources) {
    const file = program.getSourceFile(source)
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
    for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
      if (!exported.name.endsWith('Options')) continue
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      found.set(exported.name, membersOf(checker, checker.getDeclaredTypeOfSymbol(symbol)))
    }
  }
  return found
}

function membersOf (checker: ts.TypeChecker, type: ts.Type): OptionMember[] {
  const members = new Map<string, OptionMember>()
  for (const part of type.isUnion() ? type.types : [type]) {
    if (!(part.flags & ts.TypeFlags.Object) && !part.isIntersection()) continue
    for (const property of checker.getPropertiesOfType(part)) {
      if (property.getJsDocTags().some(({ name }) => name === 'internal')) continue
      const text = ts.displayPartsToString(property.getDocumentationComment(checker))
      const fallback = /Default(?:, and least)?: ([\s\S]+)$/.exec(text)?.[1]
      members.set(property.name, { name: property.name, fallback })
    }
  }
  return [...members.values()]
}
