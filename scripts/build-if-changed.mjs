// Runs `npm run build` unless no source has changed since the last time: `npm start` then starts at once.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
/** The name, size and time of every source at the last build. */
const record = join(root, 'dist/.sources')
/** The files that do not end up in `dist`, or are written by the build. */
const OTHERS = /^(?:\.|bench$|coverage$|deploy$|dist$|examples$|node_modules$|test$)|\/built(?:\.|$)|\/(?:d|browser)\.js(?:\.|$)/

const sources = describe('')
if (!existsSync(record) || readFileSync(record, 'utf8') !== sources) {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  writeFileSync(record, sources)
}

/** A line for each source below a folder, given relative to the root. */
function describe (folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).map((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (OTHERS.test(path)) return ''
    if (entry.isDirectory()) return describe(path)
    const { size, mtimeMs } = statSync(join(root, path))
    return `${path} ${size} ${mtimeMs}\n`
  }).join('')
}
