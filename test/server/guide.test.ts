import { readdir } from 'node:fs/promises'

import t from 'tap'

import { demoApp } from '../helpers/server-app.js'

const docs = new URL('../../docs/', import.meta.url)

t.test('each page of docs/ is in the guide, and each link leads to a page, a file or a heading', async (t) => {
  const { app } = await demoApp(t)
  const pages = new Map<string, { links: string[], anchors: Set<string> }>()
  const waiting = ['/guide/']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (pages.has(path)) continue
    const { statusCode, body, headers } = await app.inject(path)
    t.equal(statusCode, 200, path)
    const links = [...body.matchAll(/(?:href|src|data-index)="([^"]+)"/g)].map(([, link = '']) => link)
    const anchors = new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id))
    pages.set(path, { links, anchors })
    if (!String(headers['content-type']).startsWith('text/html')) continue
    for (const link of links) {
      const url = new URL(link, `http://localhost${path}`)
      if (url.host === 'localhost' && url.pathname.startsWith('/guide/')) waiting.push(url.pathname)
    }
  }
  const broken = [...pages].flatMap(([path, { links }]) => links.filter((link) => {
    const { host, pathname, hash } = new URL(link, `http://localhost${path}`)
    if (host !== 'localhost' || hash === '') return false
    return pages.get(pathname)?.anchors.has(decodeURIComponent(hash.slice(1))) !== true
  }).map((link) => `${path}: ${link}`))
  t.same(broken, [])
  const names = (await readdir(docs)).filter((file) => file.endsWith('.md') && file !== 'README.md')
  t.same(names.filter((file) => !pages.has(`/guide/${file.slice(0, -3)}`)), [])
})

t.test('a page is compressed, has an ETag and the strict headers, and an unknown page is 404', async (t) => {
  const { app } = await demoApp(t)
  const { headers } = await app.inject({ url: '/guide/ingestion', headers: { 'accept-encoding': 'br' } })
  t.match(headers, {
    'content-encoding': 'br',
    'content-security-policy': /script-src 'self'.*trusted-types 'none'/
  })
  const again = await app.inject({ url: '/guide/ingestion', headers: { 'if-none-match': String(headers.etag) } })
  t.same([again.statusCode, again.body], [304, ''])
  t.match(await app.inject('/guide'), { statusCode: 302, headers: { location: 'guide/' } })
  for (const url of ['/guide/nothing', '/guide/..%2findex', '/guide/assets/nothing.js']) {
    t.equal((await app.inject(url)).statusCode, 404, url)
  }
})
