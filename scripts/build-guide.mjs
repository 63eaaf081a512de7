// Builds the guide into web/guide/built: the pages of docs/, and README.md in front. The server finds it there; a build
// copies it to dist. Does nothing if no source has changed since the last build.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

import { build } from 'esbuild'

import { groupsOf } from './guide/contents.mjs'
import { render } from './guide/markdown.mjs'
import { pageHtml } from './guide/page.mjs'
import { indexOf } from './guide/search.mjs'

const root = new URL('../', import.meta.url)
const built = new URL('web/guide/built/', root)
const unfinished = new URL(`web/guide/built.${process.pid}/`, root)
const { repository } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const repositoryUrl = repository.url.replace(/^git\+|\.git$/g, '')
const docs = readdirSync(new URL('docs/', root)).filter((file) => file.endsWith('.md')).sort()
const hash = hashOfSources()

if (read(new URL('.sources', built)) !== hash) {
  mkdirSync(new URL('assets/', unfinished), { recursive: true })
  mkdirSync(new URL('pages/', unfinished))
  await writeGuide()
  writeFileSync(new URL('.sources', unfinished), hash)
  // Renames the folder, because other processes may be reading it.
  const former = new URL(`web/guide/built.${process.pid}.former/`, root)
  if (existsSync(built)) renameSync(built, former)
  renameSync(unfinished, built)
  rmSync(former, { recursive: true, force: true })
}

async function writeGuide () {
  const groups = groupsOf(readFileSync(new URL('docs/README.md', root), 'utf8'))
  const listed = groups.flatMap(({ pages }) => pages)
  const unlisted = docs.map((file) => file.slice(0, -3)).filter((name) => name !== 'README' && !listed.includes(name))
  if (unlisted.length > 0) throw new Error(`docs/README.md has no link to ${unlisted.join(', ')}`)
  const pages = [pageOf('', 'README.md'), ...listed.map((name) => pageOf(name, `docs/${name}.md`))]
  const titles = new Map(pages.map(({ name, title }) => [name, title]))
  const assets = {
    css: write('guide', 'css', await bundled('web/guide/guide.css')),
    js: write('guide', 'js', await bundled('web/guide/guide.js')),
    index: write('search', 'json', JSON.stringify(indexOf(pages)))
  }
  // The API documentation has the same bar and colours.
  writeFileSync(new URL('api.css', unfinished), await bundled('web/guide/api.css'))
  writeFileSync(new URL('api.js', unfinished), await bundled('web/guide/api.js'))
  for (const [at, page] of pages.entries()) {
    const html = pageHtml(page, { groups, titles, previous: pages[at - 1], next: pages[at + 1], assets })
    writeFileSync(new URL(`pages/${page.name || 'index'}.html`, unfinished), html)
  }
}

function pageOf (name, file) {
  return { name, ...render(readFileSync(new URL(file, root), 'utf8'), (href) => linkOf(href, posix.dirname(file))) }
}

/** A link of a page: to another page, or to the repository for a file that the guide does not have. */
function linkOf (href, folder) {
  if (/^[a-z][a-z+.-]*:/.test(href)) return { href, external: true }
  if (href.startsWith('#')) return { href, external: false }
  const [path, anchor] = href.split('#', 2)
  const file = posix.normalize(posix.join(folder, path))
  const end = anchor === undefined ? '' : `#${anchor}`
  if (['README.md', 'docs/README.md', 'docs', 'docs/'].includes(file)) return { href: `./${file === 'README.md' ? end : ''}`, external: false }
  const [, page] = /^docs\/([a-z0-9-]+)\.md$/.exec(file) ?? []
  if (page !== undefined) return { href: page + end, external: false }
  return { href: `${repositoryUrl}/blob/main/${file}${end}`, external: true }
}

async function bundled (file) {
  const { outputFiles: [output] } = await build({
    entryPoints: [fileURLToPath(new URL(file, root))], bundle: true, minify: true, write: false, target: 'es2022', logLevel: 'warning'
  })
  return output.text
}

/** Writes a file whose name has the hash of its content, also compressed. Returns the name. */
function write (name, extension, content) {
  const file = `${name}-${createHash('sha256').update(content).digest('base64url').slice(0, 10)}.${extension}`
  const url = new URL(`assets/${file}`, unfinished)
  writeFileSync(url, content)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  writeFileSync(`${fileURLToPath(url)}.br`, brotliCompressSync(content, { params }))
  return file
}

/** The hash of what the build reads: the pages, the browser code, the build itself and the versions of packages. */
function hashOfSources () {
  const sum = createHash('sha256')
  const here = ['scripts/build-guide.mjs', ...readdirSync(new URL('scripts/guide/', root)).map((file) => `scripts/guide/${file}`)]
  const styles = ['tokens.css', 'base.css'].map((file) => `web/console/src/styles/${file}`)
  const browser = readdirSync(new URL('web/guide/', root)).filter((file) => /\.(css|js)$/.test(file)).map((file) =>
    `web/guide/${file}`
  )
  const others = ['README.md', 'package.json', 'package-lock.json']
  for (const file of [...docs.map((file) => `docs/${file}`), ...here, ...styles, ...browser, ...others]) {
    sum.update(file).update(readFileSync(new URL(file, root)))
  }
  return sum.digest('hex')
}

function read (url) {
  try {
    return readFileSync(url, 'utf8')
  } catch {
    return null
  }
}
