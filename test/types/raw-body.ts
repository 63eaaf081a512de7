// Compiled by `npm run typecheck`, never run: a host that uses fastify-raw-body, whose types add `request.rawBody`,
// beside the signature guard.
import Fastify from 'fastify'
import rawBody from 'fastify-raw-body'

import { ingestion, signature } from '../../index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function assertType<Holds extends true> (): Holds | undefined {
  return undefined
}

const app = Fastify()
app.register(rawBody, { global: true, encoding: false })
app.register(signature, { global: 'optional', secrets: () => ['…'] })
app.register(ingestion)

app.post('/both', { config: { rawBody: true, gatehouse: { signature: 'required' } } }, async (request) => {
  assertType<Equal<typeof request.rawBody, string | Buffer | undefined>>()
  assertType<Equal<typeof request.signedBody, Buffer | null>>()
  return request.signedBody?.length ?? request.rawBody?.length
})
