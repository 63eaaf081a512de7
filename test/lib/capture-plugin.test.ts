import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'

import { capturePlugin } from '../../lib/capture-plugin.js'

const async_ = fp(async (app: FastifyInstance, { value }: { value: string }) => {
  app.decorate('captured', value).decorateReply('replies', () => value)
  app.addHook('onRequest', async (_request, reply) => reply.send('hooked'))
}, { name: 'async' })
const callback = fp((app: FastifyInstance, { value }: { value: string }, next: (error?: Error) => void) => {
  app.decorate('captured', value).options('*', async () => value)
  next(value === 'bad' ? new Error('refused options') : undefined)
}, { name: 'callback' })

for (const [name, plugin] of [['an async plugin', async_], ['a plugin with a callback', callback]] as const) {
  t.test(`capturing ${name} returns its decorators and leaves the app unchanged`, async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    app.get('/', async () => 'answered')
    for (const value of ['first', 'second']) {
      t.equal((await capturePlugin(app, plugin, { value }, { name, decorators: ['captured'] }))['captured'], value)
    }
    t.notOk(app.hasDecorator('captured'))
    t.equal((await app.inject('/')).body, 'answered')
    t.equal((await app.inject({ method: 'OPTIONS', url: '/' })).statusCode, 404)
  })
}

t.test('hooks are returned to the caller, and an unknown decorator or a refused option is an error', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const hooks: string[] = []
  await capturePlugin(app, async_, { value: 'x' }, {
    name: 'async',
    decorators: ['replies'],
    addHook: (name) => {
      hooks.push(name)
    }
  })
  t.same(hooks, ['onRequest'])
  await t.rejects(capturePlugin(app, async_, { value: 'x' }, { name: 'async', decorators: ['captured', 'other'] }), {
    message: 'async does not offer other; this version is not supported'
  })
  await t.rejects(capturePlugin(app, callback, { value: 'bad' }, { name: 'callback', decorators: [] }), {
    message: 'refused options'
  })
})
