// Bundles the modules into dist/, or into the folder given as the argument: each entry of package.json, and in chunks/
// what entries share. A process then loads some files instead of some hundred, which is most of the time of a start.
// TypeBox is bundled too, because it consists of 200 files; other packages are imported. tsc writes the types.
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

const BUNDLED = '@sinclair/typebox'
/** The thread of the embedded database, which is loaded by its path. */
const WORKER = 'dist/lib/database/pglite/pglite-worker.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))
const out = resolve(process.argv[2] ?? resolve(root, 'dist'))
const chunks = resolve(out, 'chunks')

const entries = [...Object.values(manifest.exports).map((entry) => entry.default), ...Object.values(manifest.bin), WORKER]
  .filter((path) => path !== undefined && !path.startsWith('./dist/web/'))
const packages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })

// The names of chunks contain hashes of their content.
rmSync(chunks, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: entries.map((path) => path.replace(/^(?:\.\/)?dist\/(.*)\.js$/, '$1.ts')),
  outbase: '.',
  outdir: out,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  external: packages.filter((name) => name !== BUNDLED),
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning'
})
// It finds the files of the package from its own place, so it must not be part of an entry.
const place = Object.keys(metafile.outputs).find((file) => 'lib/package-file.ts' in metafile.outputs[file].inputs)
if (dirname(resolve(root, place)) !== chunks) throw new Error(`lib/package-file.ts is in ${place}, outside of chunks/`)
copyFileSync(resolve(root, 'node_modules', BUNDLED, 'license'), resolve(chunks, 'typebox-license'))
