import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import t from 'tap'

import { COMMANDS } from '../../server/commands/index.js'
import { missingPackages, specOfItself, wayToInstall } from '../../server/optional-packages.js'
import { verifyBody, verifyTimestampedBody } from '../../signing/datafly/body-signature.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { runProgram, startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn } from '../helpers/server-session.js'

type Test = Pick<typeof t, 'teardown'>

async function run (test: Test, args: string[], variables: Record<string, string> = {}, input = '') {
  const program = await runProgram(test, args, variables, input)
  const { code } = await program.ended
  return { code, stdout: program.stdout(), stderr: program.stderr() }
}

t.test('--version prints the version and --help lists the commands', async (t) => {
  const version = await run(t, ['--version'])
  t.equal(version.code, 0)
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
  for (const args of [[], ['--help'], ['help'], ['demo', '--help']]) {
    const { code, stdout } = await run(t, args)
    t.equal(code, 0, args.join(' '))
    for (
      const word of ['generate-key', 'migrate', 'create-admin', 'create-source', 'organisations', 'sign', 'start', 'JWT_SECRET', 'PORT ']
    ) t.match(stdout, word)
  }
})

t.test('invalid arguments are exit code 2 with one line that describes the error', async (t) => {
  for (
    const args of [['nonsense'], ['start', '--port=1'], ['sign', 'extra'], ['__proto__'], ['toString'], ['organisations'],
      ['organisations', 'drop'], ['organisations', 'list', 'x']]
  ) {
    const { code, stdout, stderr } = await run(t, args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^fastify-gatehouse: .+ Run fastify-gatehouse --help\.\n$/, args.join(' '))
  }
})

t.test('a wrong configuration is exit code 1 with every problem, and no stack', async (t) => {
  const { code, stderr } = await run(t, ['start'], { PORT: 'x', JWT_SECRET: 'short' })
  t.equal(code, 1)
  t.match(stderr, '2 problems:\n  - PORT must be an integer from 0 to 65535\n  - JWT_SECRET is shorter than 32 bytes')
  t.notMatch(stderr, /\bat .+:\d+/)
})

t.test('production with mock products or without secrets does not start', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'data')
  const { code, stderr } = await run(t, ['start'], { NODE_ENV: 'production', DATA_DIR: dataDir })
  t.equal(code, 1)
  for (const name of ['JWT_SECRET', 'SECRETS_KEY', 'DATABRAIN', 'BOLDBI', 'DXFEED']) t.match(stderr, `- ${name} `)
})

t.test('generate-key prints a strong secret', async (t) => {
  const { code, stdout } = await run(t, ['generate-key'])
  t.equal(code, 0)
  assertStrongSecret('key', stdout.trim())
})

t.test('sign prints the headers of both signature forms for the exact bytes of a body', async (t) => {
  const body = '{"event":"café"}\n'
  const variables = { SERVER_SECRET: 'hex:00ff10' }
  const key = Buffer.from('00ff10', 'hex')
  const plain = await run(t, ['sign'], variables, body)
  t.equal(plain.code, 0)
  t.equal(verifyBody(/^X-Datafly-Signature: (.+)\n$/.exec(plain.stdout)?.[1] ?? '', [key], Buffer.from(body)), 'valid')

  const file = join(await temporaryFolder(t), 'body.json')
  await writeFile(file, body)
  const { stdout } = await run(t, ['sign', '--timestamped', '--file', file], variables)
  const [, timestamp = '', header = ''] = /^X-Timestamp: (\d+)\nX-Signature: (.+)\n$/.exec(stdout) ?? []
  t.equal(verifyTimestampedBody({ header, timestamp, now: Date.now() }, [key], Buffer.from(body)), 'valid')

  const without = await run(t, ['sign'], {}, body)
  t.equal(without.code, 1)
  t.match(without.stderr, 'SERVER_SECRET')
})

t.test('administrators and sources can be created without a running server, and not beside a ' +
  'running server', async (t) => {
  const variables = { DATA_DIR: await temporaryFolder(t), LOG_LEVEL: 'warn' }
  const migrated = await run(t, ['migrate'], variables)
  t.equal(migrated.code, 0, migrated.stderr)

  const source = await run(t, ['create-source', '--name', 'Shop', '--domain', 'https://shop.test', '--domain',
    '*.shop.test'], { ...variables, DXFEED_SECRET: 'of an app that uses the plugin' })
  const [, key = '', secret = ''] =
    /^Source \S+\nPipeline key: {2}(dk_live_\w{32})\nServer secret: (\S{43})\n$/.exec(source.stdout) ?? []
  t.equal(source.code, 0, source.stderr)

  const created = await run(t, ['create-admin', '--email', 'Ann@Example.com', '--role', 'owner'], variables)
  const password = /^Created ann@example.com\nPassword: (\S+)\n$/.exec(created.stdout)?.[1] ?? ''
  t.equal(created.code, 0, created.stderr)
  const again = await run(t, ['create-admin', '--email', 'ann@example.com'], variables)
  t.equal(again.code, 1)
  t.match(again.stderr, 'already exists; use --reset')
  const reset = await run(t, ['create-admin', '--email', 'ann@example.com', '--reset'], {
    ...variables,
    ADMIN_PASSWORD: 'a-password-of-my-own'
  })
  t.equal(reset.stdout, 'New password of ann@example.com\n')
  for (
    const args of [['create-admin'], ['create-admin', '--email', 'a@b.test', '--role', 'king'], ['create-source'], [
      'create-source',
      '--name',
      'x',
      '--domain',
      'null'
    ]]
  ) {
    t.equal((await run(t, args, variables)).code, 1, args.join(' '))
  }

  const server = await startServerProcess(t, variables.DATA_DIR, variables)
  t.notMatch(server.stdout(), 'Password', 'an administrator exists already')
  await t.rejects(logIn(server, password, 'ann@example.com'))
  await logIn(server, 'a-password-of-my-own', 'ann@example.com')
  const body = '{"type":"track","event":"Paid","userId":"u"}'
  const { stdout } = await run(t, ['sign'], { SERVER_SECRET: secret }, body)
  const signature = stdout.trim().split(': ')[1] ?? ''
  const sent = await fetch(`${server.origin}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, 'x-datafly-signature': signature },
    body
  })
  t.equal(sent.status, 200)

  const beside = await run(t, ['create-source', '--name', 'Other'], variables)
  t.equal(beside.code, 1)
  t.match(beside.stderr, 'in use by another process')
})

t.test('a start requires only the packages of the enabled features', async (t) => {
  const extra = (environment: Record<string, string>) =>
    COMMANDS['start']?.needs(environment).filter((name) => !COMMANDS['start']?.needs({}).includes(name))
  t.same(extra({ CSRF: 'on', CAPTCHA: 'altcha' }), ['@fastify/csrf-protection', 'altcha-lib'])
  t.same(extra({ CSRF: 'off', CAPTCHA: 'turnstile' }), [])
  t.same(extra({ DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x' }), ['pg', 'ioredis'])
  t.same(extra({ NATS_URL: 'nats://x' }), ['@nats-io/transport-node', '@nats-io/jetstream'])
})

t.test('the error for missing packages lists them and contains a command that installs them', async (t) => {
  t.same(missingPackages(['kysely', '@fastify/helmet', 'no-such-package-here']), ['no-such-package-here'])
  t.match(
    wayToInstall(['pg', 'kysely'], 'demo'),
    /\n {2}npx -p fastify-gatehouse@\d\S+ -p fastify@\^5\S+ -p pg@\^8\S+ -p "kysely@>=0.28.0 <0.30" fastify-gatehouse demo\n/
  )
})

t.test('a package installed from a tarball runs from that tarball again', async (t) => {
  const project = await temporaryFolder(t)
  const folder = join(project, 'node_modules/fastify-gatehouse')
  await mkdir(folder, { recursive: true })
  const lock = { packages: { 'node_modules/fastify-gatehouse': { resolved: 'file:gatehouse.tgz' } } }
  await writeFile(join(project, 'node_modules/.package-lock.json'), JSON.stringify(lock))
  t.match(specOfItself(folder), /^fastify-gatehouse@\d/, 'from the registry once the tarball is gone')
  await writeFile(join(project, 'gatehouse.tgz'), '')
  t.equal(specOfItself(folder), join(project, 'gatehouse.tgz'))
})
