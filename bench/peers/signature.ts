// Routes that accept a body with an HMAC of its bytes.
import { createHmac, timingSafeEqual } from 'node:crypto'

import Fastify from 'fastify'
import rawBody from 'fastify-raw-body'

import signature from '../../plugins/signature.js'
import { SERVER_SECRET } from '../load.js'
import { listen } from '../serve.js'

export async function gatehouse (): Promise<number> {
  const app = Fastify()
  await app.register(signature, { secrets: () => [SERVER_SECRET] })
  app.post('/event', { config: { gatehouse: { signature: 'required' } } }, async () => ({ success: true }))
  return await listen(app)
}

export async function byHand (): Promise<number> {
  const app = Fastify()
  await app.register(rawBody, { global: false, encoding: false, runFirst: true })
  app.post('/event', { config: { rawBody: true } }, async (request, reply) => {
    const sent = Buffer.from(String(request.headers['x-datafly-signature']).replace(/^sha256=/, ''), 'hex')
    const computed = createHmac('sha256', SERVER_SECRET).update(request.rawBody ?? '').digest()
    if (sent.length !== computed.length || !timingSafeEqual(sent, computed)) {
      return await reply.code(401).send({ error: 'invalid signature' })
    }
    return { success: true }
  })
  return await listen(app)
}
