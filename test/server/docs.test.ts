import t from 'tap'
import { Validator } from '@seriousme/openapi-schema-validator'

import { generateSecret } from '../../signing/secret-strength/index.js'
import { demoApp } from '../helpers/server-app.js'

interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  responses: Record<string, unknown>
  security?: Array<Record<string, unknown>>
}
interface Document {
  openapi: string
  tags: Array<{ name: string }>
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: Record<string, unknown> }
}

t.test('the document of the API is valid OpenAPI 3.1', async (t) => {
  const { app } = await demoApp(t)
  const answer = await app.inject('/docs/json')
  t.equal(answer.statusCode, 200)
  const document = answer.json() as Document
  t.match(document.openapi, /^3\.1\./)
  const { valid, errors } = await new Validator().validate(JSON.parse(answer.body))
  t.ok(valid, JSON.stringify(errors))
})

t.test('each operation has a summary, a tag and its responses, and uses only declared tags and schemes', async (t) => {
  const { app } = await demoApp(t)
  const { paths, components, tags: described } = (await app.inject('/docs/json')).json() as Document
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, tags, responses, security = [] }] of Object.entries(operations)) {
      const where = `${method} ${path}`
      t.ok(summary, `${where} has a summary`)
      t.ok(tags?.length, `${where} has a tag`)
      for (const tag of tags ?? []) t.ok(described.some(({ name }) => name === tag), `${where}: ${tag}`)
      t.ok(Object.keys(responses).length > 0, `${where} has responses`)
      for (const name of security.flatMap((demand) => Object.keys(demand))) {
        t.ok(components.securitySchemes[name], `${where}: ${name}`)
      }
    }
  }
})

t.test('each operation has an operationId that no other operation has', async (t) => {
  const { app } = await demoApp(t)
  const { paths } = (await app.inject('/docs/json')).json() as Document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ where: `${method} ${path}`, operationId }))
  )
  for (const { where, operationId } of operations) t.match(operationId, /^[a-z][A-Za-z]+$/, where)
  const ids = operations.map(({ operationId }) => operationId)
  t.same(ids.filter((id, at) => ids.indexOf(id) !== at), [])
})

t.test('the document contains all endpoints of the suite and no endpoint of the demo', async (t) => {
  const { app } = await demoApp(t)
  const { paths } = (await app.inject('/docs/json')).json() as Document
  const there = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
  )
  const wanted = [
    'GET /api/databrain/guest-token',
    'POST /authorize',
    'GET /api/generate-token',
    'POST /v1/t',
    'POST /v1/p',
    'POST /v1/i',
    'POST /v1/g',
    'POST /v1/track',
    'POST /v1/events',
    'POST /v1/batch',
    'GET /v1/pixel/track',
    'GET /v1/pixel/group',
    'GET /d.js',
    'POST /v1/admin/auth/login',
    'POST /v1/admin/auth/refresh',
    'GET /v1/admin/sources',
    'POST /v1/admin/sources/{id}/rotate-key',
    'GET /v1/admin/events',
    'GET /v1/admin/events/live',
    'GET /v1/admin/audit-logs',
    'GET /healthz',
    'GET /readyz'
  ]
  for (const operation of wanted) t.ok(there.includes(operation), operation)
  t.same(there.filter((operation) => operation.includes('/demo/') || operation.endsWith(' /')), [])
})

t.test('the server itself serves the page of the docs and its assets', async (t) => {
  const { app } = await demoApp(t)
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '').filter((link) =>
    !link.startsWith('data:')
  )
  t.ok(links.length > 3)
  for (const link of links) {
    const url = new URL(link, 'http://localhost/docs')
    t.equal(url.host, 'localhost', link)
    t.equal((await app.inject(url.pathname)).statusCode, 200, link)
  }
})

t.test('the document is generated once, has an ETag and is not available as YAML', async (t) => {
  const { app } = await demoApp(t)
  const first = await app.inject('/docs/json')
  const { etag } = first.headers
  t.match(etag, /^"[\w-]+"$/)
  const [writes, swagger] = [[] as unknown[], app.swagger]
  Object.defineProperty(app, 'swagger', {
    value: (...options: Parameters<typeof swagger>) => {
      writes.push(options)
      return swagger(...options)
    }
  })
  t.equal((await app.inject('/docs/json')).body, first.body)
  for (const named of [etag, `W/${String(etag)}`, `"other", ${String(etag)}`]) {
    const again = await app.inject({ url: '/docs/json', headers: { 'if-none-match': named } })
    t.same([again.statusCode, again.body], [304, ''])
  }
  t.match(await app.inject('/docs/yaml'), { statusCode: 404, body: /"NOT_FOUND"/ })
  t.same(writes, [])
})

t.test('in production the docs are served only with DOCS=on', async (t) => {
  const production = {
    NODE_ENV: 'production',
    JWT_SECRET: generateSecret(),
    SECRETS_KEY: generateSecret(),
    DATABRAIN: 'off',
    BOLDBI: 'off',
    DXFEED: 'off'
  }
  for (const [variables, status] of [[{}, 404], [{ DOCS: 'off' }, 404], [{ DOCS: 'on' }, 200]] as const) {
    const { app } = await demoApp(t, { ...production, ...variables })
    for (const url of ['/docs', '/docs/json', '/docs/static/swagger-ui.css']) {
      t.equal((await app.inject(url)).statusCode, status, `${url} ${JSON.stringify(variables)}`)
    }
  }
})
