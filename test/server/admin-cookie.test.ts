import t from 'tap'

import { demoApp } from '../helpers/server-app.js'

const COOKIE = '__Secure-gatehouse-refresh'

t.test('with ADMIN_COOKIE the server keeps refresh tokens in a cookie that the tabs of a browser share', async (t) => {
  const { app, first } = await demoApp(t, { ADMIN_COOKIE: 'on', ADMIN_SESSION_IDLE_MINUTES: '60' })
  const { email, generatedPassword: password } = first
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })
  t.equal(login.statusCode, 200)
  t.notOk('refresh_token' in login.json())
  const cookie = login.cookies.find(({ name }) => name === COOKIE)?.value ?? ''
  const refresh = () => app.inject({ method: 'POST', url: '/v1/admin/auth/refresh', headers: { cookie: `${COOKIE}=${cookie}` } })
  t.same((await Promise.all([refresh(), refresh()])).map(({ statusCode }) => statusCode), [200, 200])
  const { data: [session] } = (await app.inject({
    url: '/v1/admin/auth/sessions',
    headers: { authorization: `Bearer ${login.json().access_token}` }
  })).json()
  t.equal(Date.parse(session.expires_at) - Date.parse(session.last_used_at), 3_600_000)
})
