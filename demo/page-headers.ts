import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/** The strict headers of pages, for one scope; `frames`: the origins that its pages may show. */
export async function protectPages (scope: FastifyInstance, frames: readonly string[]): Promise<void> {
  await scope.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        frameSrc: frames.length === 0 ? ["'none'"] : [...frames],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"]
      }
    },
    // Set for every answer, where the request came by HTTPS.
    strictTransportSecurity: false
  })
}

/** What every answer carries, pages or not. */
export function protectAnswers (app: FastifyInstance): void {
  app.addHook('onRequest', function setHeaders (request, reply, done) {
    reply.header('X-Content-Type-Options', 'nosniff')
    if (request.protocol === 'https') reply.header('Strict-Transport-Security', 'max-age=31536000')
    done()
  })
}
