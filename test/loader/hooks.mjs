// Compiles TypeScript once for all test files and their child processes: loading the compiler and compiling the suite
// takes longer than most tests. Other files are left to the loader of the test runner.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
const COMPILED = fileURLToPath(new URL('.tap/compiled/', ROOT))
const require = createRequire(import.meta.url)
const { version } = require('typescript/package.json')

mkdirSync(COMPILED, { recursive: true })

export async function resolve (specifier, context, next) {
  const url = sourceOf(specifier, context.parentURL)
  return url === null ? await next(specifier, context) : { url, format: 'module', shortCircuit: true }
}

export async function load (url, context, next) {
  return isOurs(url) && url.endsWith('.ts')
    ? { format: 'module', source: compiled(url), shortCircuit: true }
    : await next(url, context)
}

/** The TypeScript that a path of JavaScript stands for. */
function sourceOf (specifier, parent) {
  if (!/^(?:\.{1,2}\/|file:).*\.[jt]s$/.test(specifier)) return null
  const url = new URL(specifier, parent).href
  if (!isOurs(url)) return null
  const source = url.replace(/\.js$/, '.ts')
  return existsSync(new URL(source)) && (source === url || !existsSync(new URL(url))) ? source : null
}

function isOurs (url) {
  return url.startsWith(ROOT.href) && !/\/(?:node_modules|dist|\.tap)\//.test(url)
}

function compiled (url) {
  const path = fileURLToPath(url)
  const source = readFileSync(path, 'utf8')
  // At the end, where it moves no line.
  const mark = `\n//${createHash('sha256').update(`${version}\n${path}\n`).update(source).digest('hex')}`
  const file = COMPILED + createHash('sha256').update(path).digest('hex')
  const known = read(file)
  if (known?.endsWith(mark)) return known
  const text = compile(path, source) + mark
  // Another process may read it meanwhile.
  writeFileSync(`${file}.${process.pid}`, text)
  renameSync(`${file}.${process.pid}`, file)
  return text
}

function read (file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function compile (path, source) {
  const ts = require('typescript')
  return ts.transpileModule(source, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true
    }
  }).outputText
}
