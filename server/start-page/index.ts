import { readFileSync } from 'node:fs'

import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply } from 'fastify'

import { routeScope } from '../../lib/http/route-scope.js'
import { packageFile } from '../../lib/package-file.js'
import { pageConfig } from '../../routes/databrain/guest-token/page-config.js'
import type { Source, TokenStore } from '../../contracts/token-store/index.js'
import { refuseForeignHosts } from '../allowed-hosts.js'
import { claimsOfIdentified } from '../embed-user.js'
import { demoRoutes, eventPrefix } from './demo-routes.js'
import type { DemoSession, Visit } from './session.js'
import { ORG } from '../demo-source.js'
import { protectPages } from '../page-headers.js'
import { GUEST_TOKEN_PATH, PROXY_PATH, RENEWAL_PATH } from '../products.js'
import type { Products } from '../products.js'

export interface StartPageOptions {
  products: Products
  store: TokenStore
  session: DemoSession
  /** The user of a new visitor; `null`: no user, so no session is created. */
  user: string | null
  /** Users that a visitor may select. */
  users: readonly string[]
  /** The server's own origin, as DataBrain's servers call it. */
  origin: string
  proxyKey: string
  /** Signs the page's user references. */
  userReferenceKey: string
  /** Whether the page offers attacks. */
  attacks: boolean
  /** Whether the server has a console and an API document, for the page's links. */
  links: { console: boolean, docs: boolean }
  /** Host names of the page, in addition to loopback names. */
  hosts: readonly string[]
  /** Finds the source of the page's events, or `null` if it was deleted. */
  demoSource(): Promise<Source | null>
  /** The captcha of the widget-token route; `null`: none. */
  captcha: string | null
  /** Whether embeds and widget tokens require a CSRF token. */
  csrf: boolean
}

/** Built by `scripts/build-start-page.mjs`. */
const BUILT = ['start.css', 'start.js']
/** The browser helper of the package. */
const BROWSER_HELPER = packageFile('web/browser/browser.js')
const HTML = asset('start.html')

/**
 * Registers the start page: three embeds, loaded as the products document, each beside its requests, attacks on them,
 * and ways to send an event.
 */
export async function startPage (app: FastifyInstance, options: StartPageOptions): Promise<void> {
  const { products, session, user, users } = options
  const frames = [products.databrain, products.boldbi].map((product) => product?.mockOrigin ?? null).filter((origin) =>
    origin !== null
  )
  const widget = products.dxfeed?.mockOrigin ?? null

  await demoRoutes(app, options)
  await routeScope(app, {}, async (scope) => {
    refuseForeignHosts(scope, options.hosts)
    await protectPages(scope, { frames, widgets: widget === null ? [] : [widget] })

    scope.get('/', async (request, reply) => {
      if (user !== null && session.of(request) === null) session.start(reply, user)
      return send(reply, 'text/html; charset=utf-8', HTML)
    })

    for (const name of BUILT) {
      const content = built(name)
      const type = name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8'
      scope.get(`/demo/${name}`, (_request, reply) => send(reply, type, content))
    }

    const browserHelper = readFileSync(BROWSER_HELPER)
    scope.get('/demo/browser.js', (_request, reply) => send(reply, 'text/javascript; charset=utf-8', browserHelper))

    scope.get('/demo/page.json', async (request, reply) => {
      const visit = session.of(request)
      const current = visit?.user ?? user
      const source = await options.demoSource()
      reply.header('Cache-Control', 'no-store')
      return {
        user: current,
        users,
        trace: visit === null ? null : products.calls.open(visit.id),
        eventPrefix: visit === null ? null : eventPrefix(visit),
        attacks: options.attacks && visit !== null,
        links: options.links,
        // A session that began after the cut-off is not refused.
        revoked: current !== null &&
          await options.store.revocations.cutoff(ORG, 'user', current) > (visit?.since ?? Date.now()),
        databrain: databrainOf(app, options, current, visit),
        boldbi: products.boldbi === null
          ? null
          : { apiUrl: products.boldbi.apiUrl, mockOrigin: products.boldbi.mockOrigin },
        dxfeed: products.dxfeed === null
          ? null
          : { mockOrigin: products.dxfeed.mockOrigin, paths: products.dxfeed.paths },
        pipelineKey: source?.pipelineKey ?? null,
        captcha: options.captcha,
        csrf: options.csrf
      }
    })

    const choices = users.length === 0 ? Type.Never() : Type.Union(users.map((name) => Type.Literal(name)))
    scope.post<{ Body: { user: string } }>(
      '/demo/session',
      { schema: { body: Type.Object({ user: choices }) } },
      async (request, reply) => {
        session.start(reply, request.body.user)
        return reply.code(204).header('Cache-Control', 'no-store').send()
      }
    )
  })
}

/** The page's settings for the component: `window.dbn` with a user reference and its renewal URL, or the proxy. */
function databrainOf (
  app: FastifyInstance,
  { products: { databrain }, origin, proxyKey }: StartPageOptions,
  user: string | null,
  visit: Visit | null
): object | null {
  if (databrain === null) return null
  if (databrain.mockOrigin === null || user === null) {
    return { mockOrigin: databrain.mockOrigin, page: null, renewal: null, proxy: null }
  }
  return {
    mockOrigin: databrain.mockOrigin,
    page: pageConfig({
      url: origin + GUEST_TOKEN_PATH,
      proxyKey,
      reference: app.userReference.sign(
        // A revocation after the session began also applies to the references of a page that was loaded later.
        visit === null ? { sub: user } : claimsOfIdentified({ id: user, issuedAt: visit.since })
      ),
      baseUrl: databrain.mockOrigin
    }),
    renewal: RENEWAL_PATH,
    proxy: { url: PROXY_PATH, key: proxyKey }
  }
}

function send (reply: FastifyReply, type: string, content: Buffer): FastifyReply {
  return reply.header('Cache-Control', 'no-cache').type(type).send(content)
}

function built (name: string): Buffer {
  try {
    return asset(`built/${name}`)
  } catch (error) {
    throw new Error('The start page is missing: run `npm run build`', { cause: error })
  }
}

function asset (name: string): Buffer {
  return readFileSync(packageFile(`web/start-page/${name}`))
}
