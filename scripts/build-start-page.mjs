// Builds the start page of the built-in server into web/start-page/built. Does nothing if no source has changed.
import { buildPages } from './build-pages.mjs'

await buildPages({
  root: '../web/start-page/',
  others: ['vite.config.js', 'captcha.js', '../browser/browser.js', '../console/tsconfig.json', '../../package-lock.json'],
  folders: ['src', '../console/src/styles', '../console/src/ui', '../console/src/api', '../console/src/shell']
})
