// A host whose CSRF tokens belong to the sessions of @fastify/session.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify from 'fastify'
import { csrf } from 'fastify-gatehouse'

import { guardedRoute, injected, registerBeside, statuses } from './suite.mjs'

const cookiesOf = ({ headers }) => [headers['set-cookie']].flat().map((text) => text.split(';')[0])

export default async function host (order) {
  const app = Fastify()
  registerBeside(app, order, () => {
    app.register(cookie)
    app.register(session, { secret: 'a secret of more than 32 characters', cookie: { secure: false } })
  })
  const key = 'Hq8Wm3Zp7Lx2Vt9Rk4Nd6Yj1Gs5Bf0Ca-UeIoTyW_xQ'
  app.register(csrf, { key, sessionOf: (request) => request.session.sessionId, tokenPath: '/csrf-token' })
  guardedRoute(app)
  app.post('/change', { config: { gatehouse: { csrf: true } } }, async () => ({ changed: true }))
  await app.ready()

  const ask = injected(app)
  const [own, other] = [await ask('/csrf-token'), await ask('/csrf-token')]
  const change = async (cookies) => {
    const headers = { cookie: cookies.join('; '), 'x-csrf-token': JSON.parse(own.body).token }
    return (await ask('/change', { method: 'POST', headers })).status
  }
  const named = (response, name) => cookiesOf(response).find((text) => text.startsWith(name))
  const answers = {
    ...await statuses(app),
    ownSession: await change(cookiesOf(own)),
    otherSession: await change([named(own, 'gatehouse_csrf'), named(other, 'sessionId')]),
    noToken: (await ask('/change', { method: 'POST', headers: { cookie: cookiesOf(own).join('; ') } })).status
  }
  await app.close()
  return answers
}
