// Checks that every relative link of the Markdown pages leads to a file of the package, and that every #heading exists.
// The folder is an installed package, or the repository, whose package.json says which files the package contains.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const [folder] = process.argv.slice(2)
/** Files that npm always adds to a package, even if `files` does not list them. */
const ALWAYS = ['README.md', 'LICENSE', 'package.json']
const { files = [] } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

const pages = [...ALWAYS, ...files].flatMap(pagesIn)
const broken = pages.flatMap((page) =>
  linksOf(page).flatMap((link) => {
    const [path, heading] = link.split('#', 2)
    const target = path === '' ? page : normalize(join(dirname(page), path))
    if (target.startsWith('..') || !existsSync(join(folder, target))) return [`${page}: ${link} leads to no file`]
    if (!isShipped(target)) return [`${page}: ${link} leads to a file that is not in the package`]
    const isPage = target.endsWith('.md') && statSync(join(folder, target)).isFile()
    return heading === undefined || (isPage && anchorsOf(target).has(heading))
      ? []
      : [`${page}: ${link} leads to no heading`]
  })
)

if (broken.length > 0) {
  console.error(`Links that lead nowhere in the package:\n${broken.join('\n')}`)
  process.exit(1)
}
console.log(`the links of ${pages.length} pages lead to files and headings of the package`)

/** Returns the Markdown pages at a path of the package: the file itself, or all pages below a folder. */
function pagesIn (path) {
  if (!existsSync(join(folder, path))) return []
  if (statSync(join(folder, path)).isFile()) return path.endsWith('.md') ? [path] : []
  return readdirSync(join(folder, path), { recursive: true }).filter((name) => name.endsWith('.md')).map((name) =>
    join(path, name)
  )
}

/** Returns whether a file or folder is in the package. */
function isShipped (name) {
  const plain = name.replace(/\/$/, '')
  return ALWAYS.includes(plain) || files.some((file) => plain === file || plain.startsWith(`${file}/`))
}

/** Returns the relative links of a page, without those in code. */
function linksOf (page) {
  const prose = proseOf(page).replace(/`[^`\n]*`/g, (code) => code.replaceAll(']', ' '))
  return Array.from(prose.matchAll(/\]\((?![a-z][a-z+.-]*:)([^)\s]+)\)/g), ([, link]) => link)
}

/** Returns the anchors that GitHub creates for the headings of a page. */
function anchorsOf (page) {
  const anchors = new Set()
  for (const [, title] of proseOf(page).matchAll(/^#+ (.+)$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = plain
    for (let count = 1; anchors.has(anchor); count++) anchor = `${plain}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

function proseOf (page) {
  return readFileSync(join(folder, page), 'utf8').replace(/^ *```[\s\S]*?^ *```$/gm, '')
}
