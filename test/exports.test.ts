import { readFile } from 'node:fs/promises'

import t from 'tap'

const root = new URL('../', import.meta.url)

interface Entry {
  types: string
  default: string
}

t.test('every entry of exports has a source file, can be imported, and has exports', async (t) => {
  const { exports, bin } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    exports: Record<string, Entry | string>
    bin: Record<string, string>
  }
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === 'string') continue
    t.equal(entry.types.replace(/\.d\.ts$/, ''), entry.default.replace(/\.js$/, ''), name)
    const part = await import(new URL(entry.default.replace(/^\.\/dist\//, ''), root).href) as object
    t.ok(Object.keys(part).length > 0, `${name} exports something`)
  }
  t.same(bin, { 'fastify-gatehouse': 'dist/server/cli.js' })
})

t.test('the root exports every plugin under its own name', async (t) => {
  const parts = await import('../index.js') as Record<string, unknown>
  for (
    const name of [
      'tokenStore',
      'eventFeed',
      'eventSink',
      'proxyKey',
      'userReference',
      'identityToken',
      'pipelineKey',
      'signature',
      'adminGuard',
      'auditLog',
      'guestToken',
      'embedAuthorize',
      'widgetToken',
      'ingestion',
      'adminAuth',
      'adminConsole',
      'adminApi',
      'adminKeys',
      'adminMfa',
      'adminOidc',
      'adminSaml',
      'adminUsers',
      'scim',
      'errorEnvelope',
      'refusalLog',
      'captcha',
      'csrf',
      'connectionLimit',
      'requireHttps',
      'rateLimit',
      'databrainProxy',
      'metrics',
      'tracing'
    ]
  ) {
    t.type(parts[name], 'function', name)
    t.match((parts[name] as Record<symbol, { name: string }>)[Symbol.for('plugin-meta')], {
      name: /^gatehouse-/,
      fastify: '5.x'
    }, name)
  }
})
