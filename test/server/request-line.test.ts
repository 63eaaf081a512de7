import { randomUUID } from 'node:crypto'

import t from 'tap'
import fastify from 'fastify'
import type { InjectOptions } from 'fastify'

import errorEnvelope from '../../plugins/error-envelope.js'
import { UNAUTHORIZED } from '../../lib/errors.js'
import { loggerOptions, RequestLog } from '../../server/logging.js'
import { logReader } from '../helpers/log-reader.js'

/** Returns the line of the request and the line that pino writes for it, without the times. */
async function linesOf (request: InjectOptions): Promise<[string, string]> {
  const id = randomUUID()
  const lines = await Promise.all([false, true].map(async (byPino) => {
    const log = logReader()
    const logger = loggerOptions('info', log.stream)
    const app = fastify({ logger, logController: new RequestLog(log.stream), trustProxy: true, genReqId: () => id })
    // A logger with further bindings, whose lines pino writes.
    if (byPino) {
      app.addHook('onRequest', async (request, reply) => { Object.assign(reply, { log: request.log.child({}) }) })
    }
    await app.register(errorEnvelope)
    app.get('/items/:id(^\\d+"?$)', async () => ({ ok: true }))
    app.get('/private', async () => { throw new UNAUTHORIZED() })
    await app.inject(request)
    await app.close()
    const line = log.lines().find(({ msg }) => msg === 'request completed') ?? {}
    return JSON.stringify({ ...line, time: typeof line['time'], responseTime: typeof line['responseTime'] })
  }))
  return lines as [string, string]
}

t.test('the line of a request has the properties, the values and the order of a line of pino', async (t) => {
  const requests: Array<[string, InjectOptions]> = [
    ['a template with characters that JSON escapes', { url: '/items/7' }],
    ['a query, whose values are masked', { url: '/items/7?ref=secret&b' }],
    ['another method', { url: '/items/7', method: 'HEAD' }],
    ['a refused request', { url: '/private' }],
    ['an unknown path', { url: '/nowhere#x' }],
    ['a URL with characters that JSON escapes', { url: '/"\\%0a' }],
    ['an IPv6 address', { url: '/items/7', remoteAddress: '2001:DB8:0::1' }],
    ['an invalid address', { url: '/items/7', headers: { 'x-forwarded-for': '"unknown"' } }],
    ['no address', { url: '/items/7', remoteAddress: '' }]
  ]
  for (const [title, request] of requests) {
    const [line, byPino] = await linesOf(request)
    t.match(line, '"msg":"request completed"', title)
    t.equal(line, byPino, title)
  }
})
