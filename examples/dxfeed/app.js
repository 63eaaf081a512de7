// A dxFeed widget for signed-in users: GET /api/generate-token signs its token, and the page renews it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import { widgetToken } from 'fastify-gatehouse'

import { registerLogin, userOf } from './login.js'

const SCRIPTS = {
  '/widget.js': new URL('public/widget.js', import.meta.url).href,
  '/keep-token.js': import.meta.resolve('fastify-gatehouse/browser')
}

/** @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}, env = process.env) {
  const { DXFEED_SECRET = '', DXFEED_ISSUER = '', DXFEED_SESSION = '', DXFEED_WIDGET_SCRIPT = '' } = env
  const { COOKIE_SECRET = '' } = env
  if (COOKIE_SECRET.length < 32) throw new Error('COOKIE_SECRET must have at least 32 characters')
  const app = Fastify(options)
  await app.register(cookie, { secret: COOKIE_SECRET })
  registerLogin(app, env)

  await app.register(widgetToken, {
    secret: DXFEED_SECRET,
    issuer: DXFEED_ISSUER,
    session: DXFEED_SESSION,
    authorize (request) {
      const user = userOf(request)
      return user && { user: user.id, filters: user.filters, issuedAt: user.signedInAt }
    }
  })

  for (const [path, url] of Object.entries(SCRIPTS)) {
    app.get(path, async (_request, reply) => reply.type('text/javascript').send(await readFile(new URL(url))))
  }

  app.get('/', async (request, reply) => {
    if (userOf(request) === null) return reply.redirect('/login')
    return reply.type('text/html').send(`<!doctype html>
<title>Quotes</title>
<div id="widget"></div>
<script src="${DXFEED_WIDGET_SCRIPT}"></script>
<script type="importmap">{ "imports": { "fastify-gatehouse/browser": "/keep-token.js" } }</script>
<script type="module" src="/widget.js"></script>
`)
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
}
