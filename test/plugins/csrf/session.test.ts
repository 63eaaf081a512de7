import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import csrf from '../../../plugins/csrf/index.js'
import type { CsrfOptions } from '../../../plugins/csrf/index.js'
import { logReader } from '../../helpers/log-reader.js'

const KEY = 'Hq8Wm3Zp7Lx2Vt9Rk4Nd6Yj1Gs5Bf0Ca-UeIoTyW_xQ'

interface Visitor {
  token: string
  csrfCookie: string
  sessionCookie: string
}

/** A host with the unmodified @fastify/session. */
async function host (t: Test, sessionOf: CsrfOptions['sessionOf']) {
  const log = logReader()
  const app = Fastify({ logger: { level: 'error', stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(cookie)
  await app.register(session, { secret: 'a'.repeat(40), cookie: { secure: false } })
  await app.register(csrf, { key: KEY, sessionOf, tokenPath: '/csrf-token' })
  app.post('/transfer', { config: { gatehouse: { csrf: true } } }, async () => ({ ok: true }))
  const visit = async (): Promise<Visitor> => {
    const reply = await app.inject('/csrf-token')
    const cookies = [reply.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0] ?? '')
    const named = (name: string) => cookies.find((one) => one.startsWith(`${name}=`)) ?? ''
    return {
      token: reply.json<{ token: string }>().token,
      csrfCookie: named('gatehouse_csrf'),
      sessionCookie: named('sessionId')
    }
  }
  const transfer = async ({ token, csrfCookie }: Visitor, { sessionCookie }: Visitor): Promise<number> =>
    (await app.inject({
      method: 'POST',
      url: '/transfer',
      headers: { cookie: `${csrfCookie}; ${sessionCookie}`, 'x-csrf-token': token }
    })).statusCode
  return { app, log, visit, transfer }
}

t.test('with the documented sessionOf a token is accepted in its own session and refused in another', async (t) => {
  const { visit, transfer } = await host(t, (request) => request.session.sessionId)
  const [ann, bob] = [await visit(), await visit()]
  t.not(ann.sessionCookie, bob.sessionCookie)
  t.equal(await transfer(ann, ann), 200)
  t.equal(await transfer(ann, bob), 403)
})

t.test('a sessionOf that returns undefined issues no token, and the log contains the reason', async (t) => {
  const idOf = (request: FastifyRequest) => (request.session as unknown as { id: string }).id
  const { app, log } = await host(t, idOf)
  const token = await app.inject('/csrf-token')
  t.equal(token.statusCode, 500)
  t.equal(token.json().error.code, 'INTERNAL_ERROR')
  const headers = { 'x-csrf-token': 'any' }
  t.equal((await app.inject({ method: 'POST', url: '/transfer', headers })).statusCode, 500)
  t.match(log.lines().map(({ reason }) => reason), [
    /"sessionOf" must return the id of the session.* it returned undefined/,
    /it returned undefined/
  ])
})
