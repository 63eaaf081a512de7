// Builds the console into web/console/built, next to its sources, where the route finds it; a build copies it to dist.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { buildPages } from './build-pages.mjs'

await buildPages({
  root: '../web/console/',
  folders: ['src'],
  others: ['index.html', 'vite.config.js', 'tsconfig.json', '../../package-lock.json', '../../lib/cors/domain.ts'],
  finish: (folder) => compress(join(folder, 'assets'))
})

/** Writes each file a second and third time, as browsers accept it compressed. */
function compress (folder) {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    const content = readFileSync(file)
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    writeFileSync(`${file}.br`, brotliCompressSync(content, { params }))
    writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
  }
}
