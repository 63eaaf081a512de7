import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'

import type { Config } from './config.js'

/** Names under which a secret may stand in something that is logged. */
const SECRET_NAMES = [
  'authorization', 'cookie', '["set-cookie"]', '["x-datafly-signature"]', '["x-signature"]', '["x-user-reference"]', '["x-proxy-auth-key"]',
  '["x-plugin-token"]', 'password', 'token', 'access_token', 'refresh_token', 'secret', 'server_secret', 'pipeline_key', 'pipelineKey', 'serverSecret',
  'apiKey', 'embedSecret', 'proxyAuthKey', 'writeKey'
]

const REDACTED = SECRET_NAMES.flatMap((name) => {
  const joined = name.startsWith('[') ? name : `.${name}`
  return [name, `*${joined}`, `req.headers${joined}`, `res.headers${joined}`]
})

/** One line a request, once it is answered; the values of a query string are never in it. */
export function loggerOptions (level: Config['logLevel'], stream?: { write (line: string): void }): NonNullable<FastifyServerOptions['logger']> {
  return {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { req: serializeRequest, res: serializeReply, err: serializeError },
    ...(stream === undefined ? {} : { stream })
  }
}

/** The URL with the value of every parameter masked: they may be keys, references and tokens. */
export function maskQuery (url: string): string {
  const at = url.indexOf('?')
  if (at === -1) return url
  return url.slice(0, at + 1) + url.slice(at + 1).split('&').map((pair) => pair.includes('=') ? `${pair.slice(0, pair.indexOf('='))}=***` : '***').join('&')
}

function serializeRequest (request: FastifyRequest): Record<string, unknown> {
  return { method: request.method, url: maskQuery(request.url), route: request.routeOptions?.url, remoteAddress: request.ip }
}

function serializeReply ({ statusCode }: { statusCode?: number }): { statusCode: number } {
  return { statusCode: statusCode ?? 0 }
}

/** Not what else hangs on an error: drivers put rows and parameters there. */
function serializeError (error: unknown): { type: string, message: string, stack: string, code?: string, cause?: object } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const { name, message, stack, code, cause } = error as Error & { code?: unknown }
  return {
    type: name,
    message,
    stack: stack ?? '',
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause instanceof Error ? { cause: serializeError(cause) } : {})
  }
}

/** Logs a request that is done, at `debug` for the health checks. */
export function logRequest (request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const level = request.routeOptions.config.quiet === true ? 'debug' : 'info'
  reply.log[level]({ req: request, res: reply, responseTime: Math.round(reply.elapsedTime * 1000) / 1000 }, 'request completed')
  done()
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Log the requests of this route at `debug` only. */
    quiet?: boolean
  }
}
