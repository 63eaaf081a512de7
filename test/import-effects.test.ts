import { channel } from 'node:diagnostics_channel'
import { readFile } from 'node:fs/promises'

import Fastify from 'fastify'
import t from 'tap'

import { CHANNELS as SUITE_CHANNELS } from '../lib/channels.js'

const CHANNELS = [
  'fastify.initialization',
  'tracing:fastify.request.handler:start',
  'tracing:fastify.request.handler:end',
  'tracing:fastify.request.handler:error',
  'http.server.request.start',
  'http.server.response.finish',
  'http.client.request.start',
  'undici:request:create',
  ...Object.values(SUITE_CHANNELS).map(({ name }) => name)
]

/** The sources of the package's entries, except the page script. */
async function entries (): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    exports: Record<string, { default?: string }>
  }
  return Object.values(exports).flatMap((
    { default: path }
  ) => (path === undefined || path.includes('/web/') ? [] : [path.replace('./dist/', '../')]))
}

t.test('importing every entry of the package adds no subscribers and does not affect an app', async (t) => {
  const found = await entries()
  t.ok(found.length > 25)
  // A query loads a second copy of each module, like two versions in one tree.
  for (const copy of ['', '?copy']) for (const entry of found) await import(entry + copy)
  for (const name of CHANNELS) t.notOk(channel(name).hasSubscribers, name)

  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', { config: { gatehouse: { noSuchGuard: true } as object } }, async () => 'untouched')
  t.equal((await app.inject('/')).body, 'untouched')
})
