// Compiles every entry of the installed package separately, with skipLibCheck off, in each module resolution.
//   node scripts/check-types.mjs <project> <entry,…> <folder where the TypeScripts are installed>
// The oldest and the newest TypeScript compile one program per entry in each resolution that knows `exports`, which
// checks the files of the package, and all entries in one program, which checks every library that the package brings
// along. The versions between them compile that one program under Bundler.
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

import { sourceFor } from './type-consumers.mjs'

const [folder, entries, typescripts] = process.argv.slice(2)
const project = resolve(folder)
const require = createRequire(join(resolve(typescripts), 'package.json'))
const own = join(project, 'node_modules/fastify-gatehouse/')
const sources = new Map(entries.split(',').map(sourceFor).map(({ name, text }) => [join(project, name), text]))

const BUNDLER = ['ESNext', 'Bundler']
// The last one is for projects whose module resolution does not support `exports`.
const RESOLUTIONS = [['NodeNext', 'NodeNext'], ['Node16', 'Node16'], BUNDLER, ['CommonJS', 'Node10']]
const ALONE = ['5.4', '6.0']
// The types of these packages contain errors and need a module resolution that supports `exports`.
const NATS = /@nats-io\//

let failures = 0
for (const alias of Object.keys(require('./package.json').dependencies)) {
  const ts = require(alias)
  for (const [module, moduleResolution] of isAlone(ts) ? RESOLUTIONS : [BUNDLER]) {
    const began = Date.now()
    const failed = check(ts, optionsFor(ts, module, moduleResolution))
    failures += failed
    console.log(
      `TypeScript ${ts.version} ${moduleResolution}: ${failed === 0 ? 'ok' : `${failed} errors`} (${
        Date.now() - began
      } ms)`
    )
  }
}
if (failures > 0) process.exit(1)

function optionsFor (ts, module, moduleResolution) {
  return {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind[module],
    moduleResolution: ts.ModuleResolutionKind[moduleResolution],
    types: ['node'],
    ...(module === 'CommonJS' ? { esModuleInterop: true } : {}),
    ...(moduleResolution === 'Node10' && ts.version.startsWith('6.') ? { ignoreDeprecations: '6.0' } : {})
  }
}

function check (ts, options) {
  const host = cachingHost(ts, options)
  const names = [...sources.keys()].filter((name) =>
    !(options.module === ts.ModuleKind.CommonJS && name.endsWith('jetstream.ts'))
  )
  let failed = 0
  let oldProgram
  if (isAlone(ts) && options.module !== ts.ModuleKind.CommonJS) {
    for (const name of names) {
      const program = ts.createProgram({ rootNames: [name], options, host, oldProgram })
      oldProgram = program
      const files = program.getSourceFiles().filter(({ fileName }) => fileName === name || fileName.startsWith(own))
      failed += report(ts, name, files.flatMap((file) => program.getSemanticDiagnostics(file)))
    }
  }
  const together = ts.createProgram({ rootNames: names, options, host, oldProgram })
  return failed +
    report(
      ts,
      'all entries together',
      ts.getPreEmitDiagnostics(together).filter(({ file }) => !NATS.test(file?.fileName ?? ''))
    )
}

function isAlone ({ version }) {
  return ALONE.some((alone) => version.startsWith(alone))
}

/** Parses each file once for all programs, and reads the sources of the entries from memory. */
function cachingHost (ts, options) {
  const host = ts.createCompilerHost(options, true)
  const { fileExists, getSourceFile, readFile } = host
  const parsed = new Map()
  host.fileExists = (name) => sources.has(name) || fileExists(name)
  host.readFile = (name) => sources.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    if (!parsed.has(name)) parsed.set(name, getSourceFile.call(host, name, ...rest))
    return parsed.get(name)
  }
  return host
}

function report (ts, name, diagnostics) {
  if (diagnostics.length === 0) return 0
  const format = { getCanonicalFileName: (file) => file, getCurrentDirectory: () => project, getNewLine: () => '\n' }
  console.error(`${name}:\n${ts.formatDiagnostics(diagnostics.slice(0, 5), format)}`)
  return diagnostics.length
}
