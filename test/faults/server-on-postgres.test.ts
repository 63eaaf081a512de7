import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'

const secret = () => randomBytes(32).toString('base64url')

t.test('D24: two servers that start at once on an empty PostgreSQL make one administrator and one source, and share all of it', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const variables = {
    DATABASE_URL: postgres.url,
    JWT_SECRET: secret(),
    SECRETS_KEY: secret(),
    USER_REFERENCE_KEY: secret(),
    LOG_LEVEL: 'warn',
    INGEST_KEY_RATE_MAX: '0',
    INGEST_IP_RATE_MAX: '0',
    ADMIN_RATE_MAX: '100000'
  }
  const servers = await Promise.all([1, 2].map(async () => startServerProcess(t, await temporaryFolder(t), variables)))
  const printed = servers.map(printedBy).filter(({ password }) => password !== '')
  t.equal(printed.length, 1)
  const [{ password, pipelineKey } = { password: '', pipelineKey: '' }] = printed
  for (const { origin } of servers) t.match(await (await fetch(`${origin}/readyz`)).json(), { status: 'ready', durability: 'disk' })

  const loads = servers.map(({ origin }) => sendEvents(origin, pipelineKey, { connections: 4 }))
  while (loads.some(({ acknowledged }) => acknowledged.length < 50)) await sleep(5)
  for (const load of loads) await load.stop()
  t.same(await Promise.all(servers.map((server) => server.stop().then(({ code }) => code))), [0, 0])

  const later = await startServerProcess(t, await temporaryFolder(t), variables)
  const token = await logIn(later, password)
  const stored = await storedIds(later, token)
  t.same(loads.flatMap(({ acknowledged }) => acknowledged).filter((id) => !stored.has(id)), [])
  const sources = await (await fetch(`${later.origin}/v1/admin/sources`, { headers: { authorization: `Bearer ${token}` } })).json() as { data: unknown[] }
  t.equal(sources.data.length, 1)
})
