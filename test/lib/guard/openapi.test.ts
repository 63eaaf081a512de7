import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import captcha from '../../../plugins/captcha/index.js'
import identityToken from '../../../plugins/identity-token/index.js'
import proxyKey from '../../../plugins/proxy-key.js'
import tokenStore, { memoryStore } from '../../../plugins/token-store/index.js'
import userReference from '../../../plugins/user-reference/index.js'
import databrainProxy from '../../../routes/databrain/proxy/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import { securitySchemes } from '../../../schemas/index.js'

const KEY = 'eclGd3TWSYLMBHfcKoZEu74OSLseP7ydq8o9qKoSZCI'
const BEARER = { bearer: { type: 'http', scheme: 'bearer' } } as const
const guarded = { config: { gatehouse: { proxyKey: true } } }
const ok = async () => ({ ok: true })
const widget = { secret: 's', issuer: 'a', session: 'b', authorize: () => 'u' }
const bold = { servers: [{ apiUrl: 'https://bi.example.com/x', embedSecret: 's' }], authorize: () => null }

type Schemes = Record<
  string,
  { readonly type: 'http', readonly scheme: string } | {
    readonly type: 'apiKey'
    readonly in: string
    readonly name: string
  }
>

const describe = (app: FastifyInstance, schemes?: Schemes) =>
  app.register(swagger, {
    openapi: {
      info: { title: 't', version: '1' },
      ...schemes === undefined ? {} : { components: { securitySchemes: schemes } }
    }
  })

async function described (
  t: Test,
  schemes: Schemes | undefined,
  define: (app: FastifyInstance) => Promise<unknown>
): Promise<Record<string, unknown>> {
  const app = Fastify()
  t.teardown(() => app.close())
  await describe(app, schemes)
  await define(app)
  await app.ready()
  const paths = app.swagger().paths as unknown as Record<string, Record<string, { security?: unknown }>>
  return Object.fromEntries(
    Object.entries(paths).map(([path, methods]) => [path, (methods['get'] ?? methods['post'])?.security])
  )
}

t.test('a guarded route does not mark other routes that share its schema object', async (t) => {
  const schema = { description: 'a report' }
  const seen = await described(t, securitySchemes, async (app) => {
    await app.register(proxyKey, { keys: [KEY] })
    app.get('/guarded', { schema, ...guarded }, ok)
    app.get('/open', { schema }, ok)
  })
  t.same(seen, { '/guarded': [{ proxyKey: [] }], '/open': undefined })
  t.same(Object.keys(schema), ['description'])
})

t.test('several optional guards of a route are alternatives, each with the required ones', async (t) => {
  const seen = await described(t, securitySchemes, async (app) => {
    await app.register(proxyKey, { keys: [KEY] })
    await app.register(userReference, { keys: [KEY] })
    await app.register(identityToken, { providers: [{ issuer: 'https://idp.example', audience: 'app' }] })
    await app.register(widgetToken, { ...widget, guards: { proxyKey: true } })
    app.get('/token', { config: { gatehouse: { identityToken: true } } }, ok)
  })
  t.same(seen, {
    '/api/generate-token': [{ proxyKey: [], userReference: [] }, { proxyKey: [], identityToken: [] }],
    '/token': [{ identityToken: [] }]
  })
})

t.test('a guard of one app does not mark the same route of another app', async (t) => {
  const first = await described(t, securitySchemes, async (app) => {
    await app.register(userReference, { keys: [KEY] })
    await app.register(widgetToken, widget)
  })
  t.same(first['/api/generate-token'], [{ userReference: [] }])
  for (const schemes of [securitySchemes, BEARER, undefined]) {
    t.same(
      await described(t, schemes, async (app) => {
        await app.register(widgetToken, widget)
      }),
      { '/api/generate-token': undefined }
    )
  }
})

t.test('a guard of one scope does not mark the same route of another scope', async (t) => {
  const seen = await described(t, securitySchemes, async (app) => {
    await app.register(tokenStore, { store: memoryStore() })
    await app.register(async (a) => {
      await a.register(captcha, { provider: 'altcha', hmacKey: KEY, challengePath: '/a/challenge' })
      await a.register(embedAuthorize, { ...bold, prefix: '/a', guards: { captcha: true } })
    })
    await app.register(async (b) => {
      await b.register(embedAuthorize, { ...bold, prefix: '/b' })
    })
  })
  t.same(seen, { '/a/challenge': undefined, '/a/authorize': [{ captcha: [] }], '/b/authorize': undefined })
})

const MISSING = {
  code: 'INVALID_OPTIONS',
  message: /security scheme proxyKey of guarded routes; .*securitySchemes.* "fastify-gatehouse\/schemas"/
}

for (const [what, schemes] of [['no security schemes', undefined], ['only its own security scheme', BEARER]] as const) {
  t.test(`a guarded route in a document that has ${what} stops the start, and the error contains ` +
    'the fix', async (t) => {
    for (const guardFirst of [true, false]) {
      const app = Fastify()
      t.teardown(() => app.close())
      if (guardFirst) await app.register(proxyKey, { keys: [KEY] })
      await describe(app, schemes)
      if (!guardFirst) await app.register(proxyKey, { keys: [KEY] })
      app.get('/mine', { schema: {} }, ok)
      app.register(async (child) => {
        child.get('/guarded', guarded, ok)
      })
      await t.rejects(async () => app.ready(), MISSING, guardFirst ? 'guard before swagger' : 'swagger before guard')
    }
  })
}

t.test('a route of the suite with an undeclared security scheme stops the start with the name of ' +
  'the scheme', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await describe(app)
  await app.register(databrainProxy, { proxyKeys: [KEY], apiKey: 'k', dataAppName: 'a', authorize: () => null })
  await t.rejects(async () => app.ready(), { code: 'INVALID_OPTIONS', message: /security scheme proxyAuthKey/ })
})

t.test('a failing transform of the host does not stop the start, and guarded routes stay marked', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  let isBroken = true
  await app.register(swagger, {
    openapi: { components: { securitySchemes } },
    transformObject (document) {
      if (isBroken) throw new Error("the host's own")
      return 'openapiObject' in document ? document.openapiObject : document.swaggerObject
    }
  })
  await app.register(proxyKey, { keys: [KEY] })
  app.get('/guarded', guarded, ok)
  await app.ready()
  isBroken = false
  t.match(app.swagger(), { paths: { '/guarded': { get: { security: [{ proxyKey: [] }] } } } })
})

t.test('the document contains the guards of several scopes', async (t) => {
  const seen = await described(t, securitySchemes, async (app) => {
    await app.register(proxyKey, { keys: [KEY] })
    app.get('/root', guarded, ok)
    for (const name of ['a', 'b']) {
      app.register(async (scope) => {
        await scope.register(userReference, { keys: [KEY] })
        scope.get(`/${name}`, { config: { gatehouse: { userReference: true } } }, ok)
      })
    }
  })
  t.same(seen, { '/root': [{ proxyKey: [] }], '/a': [{ userReference: [] }], '/b': [{ userReference: [] }] })
})
