// Bundles the browser helper into web/browser/browser.js, beside its types: there the tests find it, and scripts/copy-assets.mjs copies both.
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
// At once, for whoever reads it meanwhile.
renameSync(unfinished, file)
