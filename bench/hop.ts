import type { FastifyInstance } from 'fastify'
import { Pool } from 'undici'

/** Adds a POST route that only sends the parsed body to an origin and returns the response. */
export function addHop (app: FastifyInstance, path: string, origin: string): void {
  const pool = new Pool(origin)
  app.post(path, async (request, reply) => {
    const response = await pool.request({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request.body)
    })
    return reply.type('application/json').send(await response.body.text())
  })
}
