import type { ResolvedSource, Source } from './token-store/index.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The source of the request's pipeline key; `null` on a route without the `pipelineKey` guard. */
    source: Readonly<Source> | null
    /** The source with its key and its live server secrets. For guards only: never log it or send it. */
    resolvedSource: ResolvedSource | null
    /** Whether the `signature` guard has verified a signature over the raw body. */
    signed: boolean
  }
}
