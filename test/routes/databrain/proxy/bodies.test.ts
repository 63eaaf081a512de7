import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import rawBody from 'fastify-raw-body'
import t from 'tap'

import { PREFIX, proxyApp } from '../../../helpers/databrain-proxy.js'

/** Plugins that read bodies, as hosts register them. */
const READERS: Record<string, (app: FastifyInstance) => unknown> = {
  'fastify-raw-body for all routes': (app) => app.register(rawBody, { global: true }),
  'fastify-raw-body for all routes, before other hooks': (app) =>
    app.register(rawBody, { global: true, runFirst: true, encoding: false }),
  '@fastify/multipart that attaches fields': (app) => app.register(multipart, { attachFieldsToBody: true })
}

for (const [what, register] of Object.entries(READERS)) {
  t.test(`with ${what}, a body reaches DataBrain byte for byte`, async (t) => {
    const { app, upstream, headers } = await proxyApp(t, {}, {}, register)
    await app.listen({ port: 0, host: '127.0.0.1' })
    for (
      const [type = '', body = ''] of [['application/json', '{"a": 1}'], ['multipart/form-data; boundary=x',
        '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n']]
    ) {
      const reply = await fetch(`${app.listeningOrigin}${PREFIX}/api/v2/metric/query`, {
        method: 'POST',
        headers: { ...headers('ann'), 'content-type': type },
        body
      })
      t.equal(reply.status, 200)
      t.equal(String(upstream.calls.at(-1)?.body), body, type)
    }
  })
}

t.test('a body that a hook of the host has started to read is 500, and DataBrain is not called', async (t) => {
  for (const isRead of [false, true]) {
    const { upstream, call, headers } = await proxyApp(t, {}, {}, (app) => {
      app.addHook('preParsing', (_request, _reply, payload, done) => {
        payload.on('data', () => {})
        // Some hooks read the whole body first.
        if (isRead) payload.on('end', () => done(null, payload))
        else done(null, payload)
      })
    })
    const reply = await call({
      method: 'POST',
      url: `${PREFIX}/api/v2/metric/query`,
      headers: { ...headers(), 'content-type': 'application/json' },
      payload: '{"a":1}'
    })
    t.equal(reply.statusCode, 500)
    t.equal(reply.json().error.code, 'INTERNAL_ERROR')
    t.equal(upstream.calls.length, 0)
  }
})

t.test('a stream with which a hook of the host replaces the body is forwarded', async (t) => {
  const { Readable } = await import('node:stream')
  const { upstream, call, headers } = await proxyApp(t, {}, {}, (app) => {
    app.addHook('preParsing', (_request, _reply, payload, done) => {
      payload.resume()
      done(null, Object.assign(Readable.from([Buffer.from('{"b":2}')]), { receivedEncodedLength: 7 }))
    })
  })
  const reply = await call({
    method: 'POST',
    url: `${PREFIX}/api/v2/metric/query`,
    headers: { ...headers(), 'content-type': 'application/json' },
    payload: '{"a":1}'
  })
  t.equal(reply.statusCode, 200)
  t.equal(String(upstream.calls[0]?.body), '{"b":2}')
})
