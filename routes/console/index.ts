import { existsSync, readFileSync } from 'node:fs'

import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifySchema, HTTPMethods } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { serveBuiltAssets } from '../../lib/http/built-assets.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { fileBesideBundle, packageFile } from '../../lib/package-file.js'
import { parseUrl } from '../../signing/parse-url.js'
import { pageWriter } from './page.js'
import { PAGE_HEADERS } from './page-headers.js'

export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'

export interface AdminConsoleOptions {
  /** Path of the console, without a slash at the end. Default: `/console`. */
  prefix?: string
  /** Path that all routes of the admin API start with, on the same origin. Default: `/v1/admin`. */
  api?: string
  /** Name of the product in the title and the navigation. Default: `'Gatehouse'`. */
  title?: string
  /**
   * Where the documentation of this package is served: a path such as `/guide` or a URL, below which the pages have the
   * names of the files of `docs/`. Default: the documentation in the repository.
   */
  guide?: string
  /** Maximum requests per client address, `false` for no limit. Default: 600 per minute. */
  rateLimit?: RateLimitOptions
}

const KNOWN: KnownOptions<AdminConsoleOptions> = { prefix: true, api: true, title: true, guide: true, rateLimit: true }
/** A route of each part of the admin API that a host may leave out. */
const FEATURES: Readonly<Record<string, readonly [method: HTTPMethods, path: string]>> = {
  sources: ['GET', '/sources'],
  users: ['GET', '/users'],
  keys: ['GET', '/keys'],
  mfa: ['GET', '/auth/mfa'],
  passkeys: ['POST', '/auth/passkey/options'],
  sso: ['GET', '/auth/sso'],
  scim: ['GET', '/scim']
}
const PATH = /^(?:\/[A-Za-z0-9._~-]+)+$/
/** Leaves the pages out of OpenAPI documents; `@fastify/swagger` declares the member. */
const HIDDEN = { hide: true } as FastifySchema

/**
 * Serves the console: pages in which administrators manage sources, users and keys, and read events. The pages are
 * static and contain no data; they call the admin API with the access token of the user who signs in. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminAuth, { cookie: true, reuseGrace: 10_000, secretsKeys: [process.env.SECRETS_KEY] })
 * await app.register(adminApi)
 * await app.register(adminConsole)
 */
const adminConsole: FastifyPluginAsync<AdminConsoleOptions> = async (app, options) => {
  const { prefix, api, title, guide, rateLimit } = checkedOptions(options)
  const built = builtFolder()
  const html = readFileSync(new URL('index.html', built), 'utf8')

  await routeScope(app, { prefix, rateLimit }, async (scope) => {
    let page: ReturnType<typeof pageWriter>
    app.addHook('onReady', async function writePage () {
      // Now the app has all its routes.
      page = pageWriter(html, { prefix: scope.prefix, api, title, guide, features: featuresOf(app, api) })
    })

    scope.addHook('onSend', function setPageHeaders (_request, reply, payload, done) {
      reply.headers(PAGE_HEADERS)
      done(null, payload)
    })

    await serveBuiltAssets(scope, new URL('assets/', built), 'The adminConsole plugin')

    // The path '/' stands for the prefix with and without a slash; the paths below it are pages of the script.
    for (const path of ['/', '/*']) scope.get(path, { schema: HIDDEN }, (request, reply) => page(request, reply))
  })
}

function builtFolder (): URL {
  const found = [packageFile('web/console/built/'), fileBesideBundle('console/')].find((url) => existsSync(url))
  if (found !== undefined) return found
  throw new Error(
    'The pages of the console are missing: run `npm run build` in a checkout, or put dist/web/console/built of the ' +
      'package beside your bundle, as console'
  )
}

/** Returns which parts of the admin API the app has: the console does not offer the others. */
function featuresOf (app: FastifyInstance, api: string): string[] {
  return Object.entries(FEATURES).filter(([, [method, path]]) => app.hasRoute({ method, url: api + path }))
    .map(([name]) => name)
}

function checkedOptions (options: AdminConsoleOptions): Required<AdminConsoleOptions> {
  refuseUnknownOptions('adminConsole', options, KNOWN)
  const { prefix = '/console', api = '/v1/admin', title = 'Gatehouse', guide = '' } = options
  const { rateLimit = { max: 600, timeWindow: 60_000 } } = options
  for (const [name, path] of Object.entries({ prefix, api })) {
    if (typeof path === 'string' && PATH.test(path)) continue
    throw new INVALID_OPTIONS(`admin-console: "${name}" must be a path such as /console, without a slash at the end`)
  }
  if (typeof title !== 'string' || title === '' || title.length > 60) {
    throw new INVALID_OPTIONS('admin-console: "title" must be a string of 1 to 60 characters')
  }
  if (typeof guide !== 'string' || !(guide === '' || PATH.test(guide) || isHttpUrl(guide))) {
    throw new INVALID_OPTIONS('admin-console: "guide" must be a path such as /guide, or an http or https URL')
  }
  return { prefix, api, title, guide, rateLimit }
}

function isHttpUrl (text: string): boolean {
  return /^https?:$/.test(parseUrl(text)?.protocol ?? '')
}

export default fp(adminConsole, { name: 'gatehouse-admin-console', fastify: '5.x' })
