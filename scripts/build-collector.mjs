// Bundles the collector into web/collector/d.js, next to its sources, where the route finds it; a build copies it to
// dist.
import { readFileSync, renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

const root = new URL('../', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const file = fileURLToPath(new URL('web/collector/d.js', root))
const unfinished = `${file}.${process.pid}`

await build({
  entryPoints: [fileURLToPath(new URL('web/collector/index.ts', root))],
  outfile: unfinished,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2018',
  legalComments: 'none',
  logLevel: 'warning',
  define: { VERSION: JSON.stringify(version) }
})
// Renames the file atomically, because other processes may be reading it.
renameSync(unfinished, file)
