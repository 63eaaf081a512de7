import { readFileSync } from 'node:fs'
import path from 'node:path'

import ts from 'typescript'

/** What a function of the package made, and another one takes as it is: nobody writes its members. */
const HANDLES = new Set(['Database', 'RedisLink'])

/** The entry points of the package and the source files that they are built from. The first is the root. */
export function entryPoints (root: string): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>
  }
  const entries = new Map<string, string>()
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target !== 'object' || target === null || !('types' in target)) continue
    const declarations = path.join(root, String(target.types).replace('./dist/', ''))
    entries.set(name, ts.sys.fileExists(declarations) ? declarations : declarations.replace(/\.d\.ts$/, '.ts'))
  }
  return entries
}

export function readProgram (root: string, files: string[]): ts.Program {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return ts.createProgram(files, { ...options, noEmit: true })
}

/**
 * The names of the types of this package that stand in options which the module `file` exports, at any depth, and that
 * the module `exporter` does not export. Options are the interfaces and types whose names end in `Options`, the
 * parameters of functions, and what the module adds to `config.gatehouse` of routes. `@internal` members do not count.
 */
export function missingTypes (program: ts.Program, file: string, exporter: string): string[] {
  const checker = program.getTypeChecker()
  const exported = new Set(exportsOf(program, exporter))
  const missing = new Set<string>()
  const seen = new Set<ts.Symbol>()

  function visitSymbol (symbol: ts.Symbol): void {
    if (seen.has(symbol)) return
    seen.add(symbol)
    for (const declaration of symbol.declarations ?? []) if (isType(declaration)) visitNode(declaration)
  }

  function visitNode (node: ts.Node): void {
    if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : null
    if (name !== null) visitName(name)
    ts.forEachChild(node, visitNode)
  }

  function visitName (name: ts.Node): void {
    const found = checker.getSymbolAtLocation(name)
    if (found === undefined) return
    const symbol = resolved(checker, found)
    if (!isOurs(symbol)) return
    if (!exported.has(symbol)) missing.add(symbol.name)
    if (!HANDLES.has(symbol.name)) visitSymbol(symbol)
  }

  for (const symbol of exportsOf(program, file)) {
    if (symbol.name.endsWith('Options')) visitSymbol(symbol)
    for (const declaration of symbol.declarations ?? []) {
      if (ts.isFunctionDeclaration(declaration)) declaration.parameters.forEach(visitNode)
    }
  }
  for (const config of routeConfigs(program, file)) visitNode(config)
  return [...missing].sort()
}

function exportsOf (program: ts.Program, file: string): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is no module of the program`)
  return checker.getExportsOfModule(module).map((symbol) => resolved(checker, symbol))
}

function resolved (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

/** What `declare module 'fastify'` of a file adds to `GatehouseRouteConfig`. */
function routeConfigs (program: ts.Program, file: string): ts.Node[] {
  const modules = program.getSourceFile(file)?.statements.filter(ts.isModuleDeclaration) ?? []
  return modules
    .flatMap(({ body }) => body !== undefined && ts.isModuleBlock(body) ? [...body.statements] : [])
    .filter((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === 'GatehouseRouteConfig')
}

function isType (node: ts.Declaration): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node)
}

/** Whether a type is declared by this package. What it adds to Fastify's types needs no export. */
function isOurs ({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((node) =>
    isType(node) && !node.getSourceFile().fileName.includes('/node_modules/') && !isInFastify(node)
  )
}

function isInFastify (node: ts.Node): boolean {
  return ts.isModuleBlock(node.parent)
}
