import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

export interface PageOrigins {
  /** Origins that the pages may show in frames. */
  frames?: readonly string[]
  /** Origins of widgets: the pages may load scripts from them and connect to them, also by WebSocket. */
  widgets?: readonly string[]
}

/** Sets the strict headers of pages for one scope. */
export async function protectPages (
  scope: FastifyInstance,
  { frames = [], widgets = [] }: PageOrigins = {}
): Promise<void> {
  await scope.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", ...widgets],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", ...widgets, ...widgets.map((origin) => origin.replace(/^http/, 'ws'))],
        frameSrc: frames.length === 0 ? ["'none'"] : [...frames],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"]
      }
    },
    // addPageHeaders sets it on every response to an HTTPS request.
    strictTransportSecurity: false
  })
}

/** Sets security headers on every response. */
export function addPageHeaders (app: FastifyInstance): void {
  app.addHook('onRequest', function setHeaders (request, reply, done) {
    reply.header('x-content-type-options', 'nosniff')
    if (request.protocol === 'https') reply.header('strict-transport-security', 'max-age=31536000')
    done()
  })
}
