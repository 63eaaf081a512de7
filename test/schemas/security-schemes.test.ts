import { readdir, readFile } from 'node:fs/promises'

import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'

import proxyKey from '../../plugins/proxy-key.js'
import { securitySchemes } from '../../schemas/index.js'
import { generateSecret } from '../../signing/secret-strength/index.js'

const root = new URL('../../', import.meta.url)

t.test("with the schemes in @fastify/swagger the document describes the host's guarded routes", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0', components: { securitySchemes } } })
  await app.register(proxyKey, { keys: [generateSecret()] })
  app.get('/report', { config: { gatehouse: { proxyKey: true } } }, async () => ({}))
  await app.ready()
  t.match(app.swagger(), {
    paths: { '/report': { get: { security: [{ proxyKey: [] }] } } },
    components: { securitySchemes: { proxyKey: { type: 'http' } } }
  })
})

t.test('each scheme that a guard or a route names is there', async (t) => {
  const used = new Set<string>()
  for (const folder of ['plugins', 'routes', 'schemas']) {
    for (const file of await readdir(new URL(folder, root), { recursive: true })) {
      if (!file.endsWith('.ts')) continue
      const text = await readFile(new URL(`${folder}/${file}`, root), 'utf8')
      for (const [, name = ''] of text.matchAll(/securityScheme: '(\w+)'/g)) used.add(name)
      for (const [, name = ''] of text.matchAll(/security: \[\{ (\w+): \[\]/g)) used.add(name)
    }
  }
  t.ok(used.size >= 7, [...used].join(', '))
  t.same([...used].filter((name) => !Object.hasOwn(securitySchemes, name)), [])
})
