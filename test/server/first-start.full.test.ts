import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

import t from 'tap'

import { folderWithDatabase } from '../helpers/database-folder.js'
import { runProgram, startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'

const run = promisify(execFile)

t.test('the first start prints the data that it created, its curl lines work when pasted, and a later start ' +
  'keeps the data', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const first = await startServerProcess(t, dataDir)
  const { password, pipelineKey } = printedBy(first)
  t.match(first.stdout(), /^Creating the embedded database/m)
  t.match(first.stdout(), `Start page  ${first.origin}/`)
  t.match(first.stdout(), `API docs    ${first.origin}/docs`)
  t.match(first.stdout(), `Guide       ${first.origin}/guide`)
  t.match(password, /^[\w-]{43}$/)
  t.match(pipelineKey, /^dk_live_[0-9A-Za-z]{32}$/)
  t.equal(first.stderr(), '')
  t.equal(((await stat(dataDir)).mode & 0o777).toString(8), '700')

  const curls = first.stdout().split('\n').filter((line) => /curl /.test(line))
  t.equal(curls.length, 3)
  if (await run('curl', ['--version']).then(() => true, () => false)) {
    const { stdout, stderr } = await run('bash', ['-c', curls.join('\n')])
    t.equal(stderr, '')
    const [sent = '', listed = ''] = stdout.trim().split('\n')
    t.same(JSON.parse(sent), { success: true })
    // On a slow machine the page may end before the older days are read, with `has_more`.
    t.match(JSON.parse(listed), { data: [{ event: 'Hello', userId: 'user-1', authMethod: 'key' }] })
  } else t.pass('no curl here', { skip: 'no curl here' })

  const before = await storedIds(first, await logIn(first, password))
  t.same(await first.stop().then(({ code, signal }) => ({ code, signal })), { code: 0, signal: null })

  const second = await startServerProcess(t, dataDir)
  t.notMatch(second.stdout(), password)
  t.notMatch(second.stdout(), /Making|Password|Pipeline key|curl/)
  t.match(second.stdout(), `Start page  ${second.origin}/`)
  const token = await logIn(second, password)
  t.same(await storedIds(second, token), before)
  const send = (origin: string) =>
    fetch(`${second.origin}/v1/t`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}`, origin },
      body: '{"event":"Again","userId":"user-1"}'
    })
  t.equal((await send(second.origin)).status, 200, 'from the page of the new port')
  t.equal((await send('https://evil.test')).status, 403)
  t.comment(`first start ${Math.round(first.startTime)} ms, later start ${Math.round(second.startTime)} ms`)
})

t.test('a port in use stops the start before any data is created', async (t) => {
  const dataDir = await folderWithDatabase(t)
  const taken = createServer()
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const program = await runProgram(t, ['start'], { DATA_DIR: dataDir, PORT: String(port) })
  t.equal((await program.ended).code, 1)
  t.match(program.stderr(), /^fastify-gatehouse: .*EADDRINUSE.*set PORT to another port\n$/)
  t.match(printedBy(await startServerProcess(t, dataDir)).password, /^[\w-]{43}$/, 'the next start creates the data')
})

t.test('a weak ADMIN_PASSWORD is refused before a database is created, and before the server listens', async (t) => {
  const empty = await temporaryFolder(t)
  for (const dataDir of [empty, await folderWithDatabase(t)]) {
    const program = await runProgram(t, ['start'], { DATA_DIR: dataDir, PORT: '0', ADMIN_PASSWORD: 'Password1234!' })
    t.equal((await program.ended).code, 1)
    t.match(program.stderr(), /^fastify-gatehouse: The configuration has a problem:\n {2}- ADMIN_PASSWORD is refused: /)
    t.notMatch(program.stdout(), /Creating|listens/)
  }
  t.same(await readdir(empty), [])
})

t.test('no value of the environment is printed, and no secret is logged at trace level', async (t) => {
  const dataDir = await folderWithDatabase(t)
  const given = {
    ADMIN_EMAIL: 'somebody@example.org',
    ADMIN_PASSWORD: 'correct-horse-battery-7',
    JWT_SECRET: 'jwt-0123456789-abcdefghijklmnopqrstuvwxyz',
    SECRETS_KEY: 'box-0123456789-abcdefghijklmnopqrstuvwxyz',
    USER_REFERENCE_KEY: 'ref-0123456789-abcdefghijklmnopqrstuvwxyz',
    DATABRAIN_PROXY_KEY: 'key-0123456789-abcdefghijklmnopqrstuvwxyz'
  }
  const server = await startServerProcess(t, dataDir, { ...given, LOG_LEVEL: 'trace' })
  const { origin } = server
  t.match(server.stdout(), 'the value of ADMIN_PASSWORD')
  t.match(server.stdout(), '$ADMIN_EMAIL')
  const bannerEnd = server.stdout().length
  const { pipelineKey } = printedBy(server)

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body)
    })
  const login = await post('/v1/admin/auth/login', { email: given.ADMIN_EMAIL, password: given.ADMIN_PASSWORD })
  const { access_token, refresh_token } = await login.json() as Record<string, string>
  await post('/v1/admin/auth/login', { email: given.ADMIN_EMAIL, password: 'wrong-password-of-mine' })
  const bearer = { authorization: `Bearer ${access_token}` }
  const refreshed = await (await post('/v1/admin/auth/refresh', { refresh_token })).json() as Record<string, string>
  await post('/v1/admin/auth/refresh', { refresh_token: 'nonsense-refresh-token' })
  const made = await (await post('/v1/admin/sources', { name: 'Shop', domains: ['https://shop.test'] }, bearer))
    .json() as Record<string, string>
  const page = await fetch(`${origin}/`)
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { databrain } = await (await fetch(`${origin}/demo/page.json`, { headers: { cookie } })).json() as {
    databrain: { page: { proxyAuthUrl: string } }
  }
  const reference = new URL(databrain.page.proxyAuthUrl).searchParams.get('ref') ?? ''
  const guest = await fetch(databrain.page.proxyAuthUrl, {
    headers: { authorization: `Bearer ${given.DATABRAIN_PROXY_KEY}` }
  })
  const { token: guestToken } = await guest.json() as { token: string }
  const widget = await (await fetch(`${origin}/api/generate-token?ref=${reference}`)).json() as { token: string }
  await post(`/v1/t?wk=${pipelineKey}`, { event: 'e', userId: 'u' })
  await post('/v1/t', { event: 'e', userId: 'u', writeKey: pipelineKey })
  await post('/v1/t', { event: 'e' }, {
    authorization: `Bearer ${pipelineKey}`,
    'x-datafly-signature': `sha256=${'ab'.repeat(32)}`
  })
  await fetch(`${origin}/nothing?token=${widget.token}&${guestToken}`, { headers: { ...bearer, cookie } })
  t.equal((await server.stop()).code, 0)

  const secrets = {
    ...given,
    pipelineKey: printedBy(server).pipelineKey,
    access_token,
    refresh_token,
    refreshed: refreshed.access_token,
    server_secret: made.server_secret,
    pipeline_key: made.pipeline_key,
    cookie: cookie.slice('gatehouse_demo='.length),
    reference,
    guestToken,
    widgetToken: widget.token,
    signature: 'ab'.repeat(32),
    wrongPassword: 'wrong-password-of-mine',
    wrongToken: 'nonsense-refresh-token'
  }
  const logged = server.stdout().slice(bannerEnd) + server.stderr()
  t.ok(logged.split('\n').length > 20, 'there is a log')
  for (const [name, secret] of Object.entries(secrets)) {
    t.ok(secret !== undefined && secret.length > 5, name)
    t.notMatch(logged, secret, `${name} is not in the log`)
  }
  for (const [name, secret] of Object.entries(given)) t.notMatch(server.stdout(), secret, `${name} is not printed`)
})
