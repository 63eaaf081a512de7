import { readFile } from 'node:fs/promises'

import t from 'tap'

import { ROOT, docsPages, headings } from '../helpers/docs-pages.js'

const SHAPE = ['What it is for', 'Quick start', 'Options', 'Decorators', 'Errors', 'In the front end', 'Security notes']
/**
 * Pages about a part of a plugin or about no plugin of an app: of the sections they have those that they need, in the
 * same order.
 */
const PARTS = ['browser', 'collector', 'pixel', 'server', 'testing', 'webhooks']
/** Guides, and pages that a script writes. */
const GUIDES = [
  'asvs',
  'README',
  'deploy',
  'errors',
  'from-a-vendor-sample',
  'from-rudderstack',
  'from-segment',
  'guards',
  'install',
  'oauth-asvs',
  'organisations',
  'permissions',
  'refused-events',
  'rotating-secrets',
  'routes',
  'sdks',
  'signing',
  'sso-auth0',
  'sso-entra-id',
  'sso-google-workspace',
  'sso-keycloak',
  'sso-okta',
  'sso-onelogin',
  'threat-model',
  'troubleshooting'
]
/** Pages outside of docs/ that are read like its own. */
const ALSO_READ = ['SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/HISTORY.md', 'bench/README.md']

const pages = await docsPages()

t.test('no line of a page is longer than 120 columns', async (t) => {
  const others = await Promise.all(
    ALSO_READ.map(async (path) => ({ path, text: await readFile(new URL(path, ROOT), 'utf8') }))
  )
  for (const { path, text } of [...pages, ...others]) {
    const long = text.split('\n').flatMap((line, at) =>
      line.length > 120 ? [`${path}:${at + 1} has ${line.length}`] : []
    )
    t.same(long, [], path)
  }
})

t.test('each page of a plugin has the same sections in the same order', async (t) => {
  const described = pages.filter(({ path }) => path.startsWith('docs/') && !GUIDES.includes(nameOf(path)))
  t.ok(described.length > 20)
  for (const { path, text } of described) {
    const titles = headings(text).filter(({ level }) => level === 2).map(({ title }) => title)
    const found = titles.filter((title) => SHAPE.includes(title))
    t.same(found, PARTS.includes(nameOf(path)) ? SHAPE.filter((title) => found.includes(title)) : SHAPE, path)
    t.same(found.slice(0, 3), SHAPE.slice(0, 3), path)
  }
})

t.test('the index of docs/ links each page', async (t) => {
  const index = pages.find(({ path }) => path === 'docs/README.md')?.text ?? ''
  for (const { path } of pages) {
    if (path.startsWith('docs/') && path !== 'docs/README.md') t.match(index, `(${nameOf(path)}.md)`, path)
  }
})

function nameOf (path: string): string {
  return path.replace(/^docs\/|\.md$/g, '')
}
