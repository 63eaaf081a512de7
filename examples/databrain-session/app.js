// DataBrain dashboards for users who sign in with a session: by guest token on one page, by reverse proxy on another.
import { fileURLToPath } from 'node:url'

import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify from 'fastify'
import { FORBIDDEN, databrainProxy, guestToken, pageConfig } from 'fastify-gatehouse'
import { pageConfig as proxyPageConfig } from 'fastify-gatehouse/databrain-proxy'

import { registerLogin, userOf } from './login.js'
import { dashboardPage, registerScripts } from './pages.js'

/** @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}, env = process.env) {
  const { DATABRAIN_API_KEY: apiKey = '', DATABRAIN_DATA_APP: dataAppName = '', DATABRAIN_DASHBOARD = '' } = env
  const { DATABRAIN_PROXY_KEY: proxyKey = '', USER_REFERENCE_KEY = '', SESSION_SECRET = '' } = env
  const { DATABRAIN_API_URL: apiUrl = 'https://api.usedatabrain.com', PUBLIC_URL = 'http://localhost:3000' } = env
  const guestTokenUrl = `${PUBLIC_URL}/api/databrain/guest-token`
  const app = Fastify(options)
  await app.register(cookie)
  await app.register(session, {
    secret: SESSION_SECRET,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: PUBLIC_URL.startsWith('https:'), maxAge: 12 * 60 * 60 * 1000 }
  })
  registerLogin(app, env)
  registerScripts(app)

  // DataBrain's servers call this route without the user's cookie: the signed reference in the URL identifies the user.
  await app.register(guestToken, {
    apiKey,
    apiUrl,
    dataAppName,
    proxyKeys: [proxyKey],
    userReferenceKeys: [USER_REFERENCE_KEY],
    authorize ({ userReference }) {
      if (userReference === null) return null
      const company = String(userReference.company)
      return { clientId: company, userId: userReference.sub, tenant: company }
    },
    renewal: {
      url: guestTokenUrl,
      authorize (request) {
        const user = userOf(request)
        if (user === null) return null
        if (!user.maySeeReports) throw new FORBIDDEN()
        const claims = { sub: user.id, company: user.company }
        return { claims, tenant: user.company, issuedAt: user.signedInAt }
      }
    }
  })

  // The component on the page calls this route with the cookie of the session.
  await app.register(databrainProxy, {
    apiKey,
    apiUrl,
    dataAppName,
    proxyKeys: [proxyKey],
    // Pages of any other origin are refused.
    cors: { origins: [PUBLIC_URL] },
    authorize (request) {
      const user = userOf(request)
      if (user === null) return null
      if (!user.maySeeReports) throw new FORBIDDEN()
      return { clientId: user.company, userId: user.id, tenant: user.company, issuedAt: user.signedInAt }
    }
  })

  app.get('/', async (request, reply) => {
    const user = userOf(request)
    if (user === null) return reply.redirect('/login')
    if (!user.maySeeReports) throw new FORBIDDEN()
    const reference = app.userReference.sign({ sub: user.id, company: user.company })
    const dbn = pageConfig({ url: guestTokenUrl, proxyKey, reference })
    return reply.type('text/html').send(dashboardPage(dbn, DATABRAIN_DASHBOARD, '/guest-token.js'))
  })

  app.get('/proxied', async (request, reply) => {
    if (userOf(request) === null) return reply.redirect('/login')
    const dbn = proxyPageConfig({ proxyUrl: `${PUBLIC_URL}/api/databrain/proxy`, proxyKey })
    return reply.type('text/html').send(dashboardPage(dbn, DATABRAIN_DASHBOARD, '/proxied.js'))
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
}
