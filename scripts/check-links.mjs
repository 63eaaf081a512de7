// Every relative link of the package's README and docs leads to a file that is in the package.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [folder] = process.argv.slice(2)
const pages = ['README.md', ...readdirSync(join(folder, 'docs')).map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'))
const broken = pages.flatMap((page) => {
  const targets = [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target]) => target)
  return targets.filter((target) => !existsSync(join(folder, dirname(page), target))).map((target) => `${page}: ${target}`)
})
if (broken.length > 0) {
  console.error(`Links that lead nowhere in the package:\n${broken.join('\n')}`)
  process.exit(1)
}
console.log(`the links of ${pages.length} pages lead to files of the package`)
