// Copies the files that the server serves unchanged, which tsc does not copy.
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs'

for (const folder of ['server/mock-products/assets/', 'web/account/', 'web/sign-in/', 'web/start-page/']) {
  const to = new URL(`../dist/${folder}`, import.meta.url)
  rmSync(to, { recursive: true, force: true })
  cpSync(new URL(`../${folder}`, import.meta.url), to, { recursive: true, filter: isServed })
}

/** Leaves out the sources of pages that are built. */
function isServed (file) {
  return !/start-page\/(?:src|vite\.config\.js|captcha\.d\.ts|built\/\.sources)$/.test(file.replaceAll('\\', '/'))
}

for (const folder of ['web/console/built/', 'web/guide/built/']) {
  const to = new URL(`../dist/${folder}`, import.meta.url)
  rmSync(to, { recursive: true, force: true })
  cpSync(new URL(`../${folder}`, import.meta.url), to, {
    recursive: true,
    filter: (file) => !file.endsWith('.sources')
  })
}

const collector = new URL('../dist/web/collector/', import.meta.url)
mkdirSync(collector, { recursive: true })
copyFileSync(new URL('../web/collector/d.js', import.meta.url), new URL('d.js', collector))

const browser = new URL('../dist/web/browser/', import.meta.url)
mkdirSync(browser, { recursive: true })
for (const name of ['browser.js', 'browser.d.ts']) {
  copyFileSync(new URL(`../web/browser/${name}`, import.meta.url), new URL(name, browser))
}
