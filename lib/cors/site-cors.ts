import cors from '@fastify/cors'
import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { capturePlugin } from '../capture-plugin.js'
import { INVALID_OPTIONS, INVALID_REQUEST } from '../errors.js'
import { isExactOrigin, originProblem } from './exact-origin.js'
import { isPreflight } from '../guard/preflight.js'
import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../options.js'
import type { AssertOption, KnownOptions } from '../options.js'
import { refuse, refusedOrigin } from '../refuse.js'
import { preflightEachPath } from './preflight-routes.js'
import { allowRequestedHeaders } from './requested-headers.js'
import { varyByOrigin } from './source-cors.js'

export interface SiteCorsOptions {
  /**
   * Exact origins whose pages may call, as browsers send them (`https://app.example.com`, `capacitor://localhost`).
   * Schemes without an own origin (`file:`, `data:`, `blob:`) are refused.
   */
  origins: readonly string[]
  /** Whether pages may send cookies. Default: `true`. */
  credentials?: boolean
  /**
   * Request headers that a page may send. Default: every header that the preflight names, so that tracing headers
   * (`traceparent`, `sentry-trace`) do not block a page.
   */
  allowedHeaders?: readonly string[]
  /** Methods that a page may use. Default: `GET, HEAD, POST`. */
  methods?: readonly string[]
  /** Seconds for which a browser may cache a preflight response. Default: 600. */
  maxAgeSeconds?: number
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** CORS options of this route for `@fastify/cors`, or `false`. */
    cors?: FastifyCorsOptions | false
  }
}

const KNOWN: KnownOptions<SiteCorsOptions> = {
  origins: true,
  credentials: true,
  allowedHeaders: true,
  methods: true,
  maxAgeSeconds: true
}
const assertOption: AssertOption = optionAssertion('cors')
const EXPOSED_HEADERS = ['retry-after', 'www-authenticate', 'x-request-id']

/**
 * Adds CORS for exact origins to the routes that the scope declares from now on. Every other `Origin` is refused with
 * 403 `ORIGIN_NOT_ALLOWED`, without CORS headers, before other hooks run.
 *
 * `@fastify/cors` cannot be registered below a host's own registration and claims `OPTIONS *`. Therefore its hook runs
 * in this scope, our paths answer their own preflights, and each route carries our options, which a host's registration
 * obeys.
 */
export async function siteCors (scope: FastifyInstance, options: SiteCorsOptions): Promise<void> {
  refuseUnknownMembers('cors', '', options, KNOWN, { maxAge: 'maxAgeSeconds' })
  const { allowedHeaders, methods = ['GET', 'HEAD', 'POST'], credentials = true, maxAgeSeconds = 600 } = options
  assertOption(
    Array.isArray(options.origins),
    'origins',
    'a list of exact origins such as https://app.example.com',
    options.origins
  )
  assertOption(allowedHeaders === undefined || isStrings(allowedHeaders), 'allowedHeaders', 'a list of header names')
  assertOption(isStrings(methods), 'methods', 'a list of methods', methods)
  assertBoolean('cors', 'credentials', credentials)
  assertWholeNumber('cors', 'maxAgeSeconds', maxAgeSeconds, { min: 0, unit: 'seconds' })
  const origins = new Set(options.origins.map(exactOrigin))
  const settings: FastifyCorsOptions = {
    origin: [...origins],
    methods: [...methods],
    ...allowedHeaders === undefined ? {} : { allowedHeaders: [...allowedHeaders] },
    exposedHeaders: EXPOSED_HEADERS,
    credentials,
    maxAge: maxAgeSeconds,
    optionsSuccessStatus: 204,
    preflight: true,
    preflightContinue: false,
    strictPreflight: true
  }
  const isAdmitted = (origin: string | undefined): boolean => origin !== undefined && origins.has(origin)
  ignoreHostCors(scope, settings)

  scope.addHook('onRequest', function checkOrigin (request, reply, done) {
    const { origin } = request.headers
    if (origin !== undefined && !isAdmitted(origin)) {
      refuse(reply, refusedOrigin(origin))
    } else if (request.method === 'OPTIONS' && !isPreflight(request)) {
      refuse(reply, new INVALID_REQUEST({ message: 'This is not a CORS preflight' }))
    } else done()
  })
  // A hook of the host, such as a guard, may have answered before our hooks ran; its response gets CORS headers here
  // too.
  scope.addHook('onSend', function grantRefusal (request, reply, payload, done) {
    const { origin } = request.headers
    varyByOrigin(reply)
    // @fastify/cors copies the requested headers unchecked, or applies the host's own list.
    if (
      allowedHeaders === undefined && isAdmitted(origin) && request.method === 'OPTIONS' &&
      reply.hasHeader('access-control-allow-methods')
    ) {
      allowRequestedHeaders(request, reply)
    }
    if (origin === undefined) {
      // A host's @fastify/cors sends these headers to every client.
      if (reply.hasHeader('access-control-allow-credentials')) reply.removeHeader('access-control-allow-credentials')
      if (reply.hasHeader('access-control-expose-headers')) reply.removeHeader('access-control-expose-headers')
    } else if (isAdmitted(origin) && !reply.hasHeader('access-control-allow-origin')) {
      reply.header('access-control-allow-origin', origin).header(
        'access-control-expose-headers',
        EXPOSED_HEADERS.join(', ')
      )
      if (settings.credentials === true) reply.header('access-control-allow-credentials', 'true')
    }
    done(null, payload)
  })
  type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void
  function addHook (name: string, hook: unknown): void {
    const handleCors = hook as Hook
    scope.addHook(name as 'onRequest', function corsForPages (request, reply, done) {
      // Requests without an Origin do not come from a page of another origin.
      if (request.headers.origin === undefined) done()
      else handleCors(request, reply, done)
    })
  }
  await capturePlugin(scope, cors, settings, { name: '@fastify/cors', decorators: [], addHook })
  preflightEachPath(scope, (path) => preflightRoute(scope, path))
}

/** Sets the CORS options of a scope's routes, or `false` for none, independent of a host's `@fastify/cors`. */
export function ignoreHostCors (scope: FastifyInstance, settings: FastifyCorsOptions | false): void {
  scope.addHook('onRoute', function setCors (route) {
    route.config = { ...route.config, cors: settings }
  })
}

/** Declares an OPTIONS route for one path, whose preflights `@fastify/cors` answers. */
function preflightRoute (scope: FastifyInstance, path: string): void {
  scope.options(path, { schema: { hide: true } as object }, function unreachable (_request, reply) {
    return reply.code(204).send()
  })
}

function isStrings (list: unknown): boolean {
  return Array.isArray(list) && list.every((each) => typeof each === 'string')
}

function exactOrigin (value: string): string {
  if (isExactOrigin(value)) return value
  throw new INVALID_OPTIONS(
    `cors: "origins" must contain exact origins such as https://app.example.com or capacitor://localhost: ${
      originProblem(value)
    }`
  )
}
