// Bundles the browser helper into web/browser/browser.js, next to its types, where tests and scripts/copy-assets.mjs
// find it.
import { renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

const folder = new URL('../web/browser/', import.meta.url)
const file = fileURLToPath(new URL('browser.js', folder))
const unfinished = `${file}.${process.pid}`

await build({
  entryPoints: [fileURLToPath(new URL('index.ts', folder))],
  outfile: unfinished,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2018',
  legalComments: 'none',
  logLevel: 'warning'
})
// Renames the file atomically, because other processes may be reading it.
renameSync(unfinished, file)
