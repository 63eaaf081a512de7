// A Bold BI dashboard for signed-in users: POST /authorize signs what the embed SDK asks for, and the page embeds it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import { FORBIDDEN, embedAuthorize } from 'fastify-gatehouse'

import { registerLogin, userOf } from './login.js'

const SDK = 'https://cdn.boldbi.com/embedded-sdk/v15.2.6/boldbi-embed.js'

/** @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}, env = process.env) {
  const { BOLDBI_URL = '', BOLDBI_SITE = 'site1', BOLDBI_EMBED_SECRET = '', COOKIE_SECRET = '' } = env
  if (COOKIE_SECRET.length < 32) throw new Error('COOKIE_SECRET must have at least 32 characters')
  const app = Fastify(options)
  await app.register(cookie, { secret: COOKIE_SECRET })
  registerLogin(app, env)

  await app.register(embedAuthorize, {
    servers: [{ apiUrl: `${BOLDBI_URL}/bi/api/site/${BOLDBI_SITE}`, embedSecret: BOLDBI_EMBED_SECRET }],
    authorize (request, { dashboards }) {
      const user = userOf(request)
      if (user === null) return null
      // A query can name several dashboards, or none but a data source.
      if (dashboards.length === 0 || !dashboards.every((id) => user.dashboards.includes(id))) {
        throw new FORBIDDEN({ message: 'This dashboard is not yours' })
      }
      return {
        email: user.email,
        issuedAt: user.signedInAt,
        datasourceFilter: { parameters: { Region: user.region } }
      }
    }
  })

  app.get('/', async (request, reply) => {
    const user = userOf(request)
    if (user === null) return reply.redirect('/login')
    return reply.type('text/html').send(`<!doctype html>
<title>Dashboard</title>
<body data-server-url="${BOLDBI_URL}/bi/site/${BOLDBI_SITE}" data-dashboard-id="${user.dashboards[0]}">
<div id="dashboard"></div>
<script src="${SDK}"></script>
<script src="/dashboard.js"></script>
`)
  })

  app.get('/dashboard.js', async (_request, reply) => {
    return reply.type('text/javascript').send(await readFile(new URL('public/dashboard.js', import.meta.url)))
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
}
