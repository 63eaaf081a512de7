import t from 'tap'
import type { Test } from 'tap'

import { sqlStore } from '../../plugins/token-store/sql/index.js'
import { openDatabase } from '../../lib/database/open-database.js'
import { runProgram, temporaryFolder } from '../helpers/server-process.js'

const SECRETS_KEY = 'q7Ty2Kd9Wm4xZp3L-Vb6Nc8Rf1Gj5Hs0'

async function setUp (t: Test) {
  const variables = { DATA_DIR: await temporaryFolder(t), LOG_LEVEL: 'warn', SECRETS_KEY }
  return {
    variables,
    async run (...args: string[]) {
      const program = await runProgram(t, args, variables)
      const { code } = await program.ended
      return { code, out: program.stdout(), error: program.stderr().trim().split('\n').at(-1) ?? '' }
    }
  }
}

async function openStore (t: Test, dataDir: string) {
  const database = await openDatabase({ dataDir })
  t.teardown(() => database.close())
  const store = sqlStore(database, { secretsKeys: [SECRETS_KEY] })
  const actions = async (orgId: string) =>
    (await store.audit.list(orgId, {}, { limit: 10 })).data.map(({ action, changes }) => [action, changes])
  return { store, actions }
}

const HEADER = 'id\tname\tsecond factor\tmax users\tmax sources\n'

t.test('the operator creates, lists, renames and limits organisations', async (t) => {
  const { run, variables } = await setUp(t)
  const created = await run('organisations', 'create', '--name', 'Acme Ltd', '--id', 'acme', '--max-users', '2')
  t.same(created, { code: 0, out: `${HEADER}acme\tAcme Ltd\toptional\t2\tnone\n`, error: created.error })
  t.match(await run('organisations', 'create', '--name', 'Other', '--id', 'acme'), {
    code: 1,
    error: 'fastify-gatehouse: the organisation acme already exists'
  })
  t.match((await run('organisations', 'create', '--name', 'Bricks')).out, /\n[0-9a-f-]{36}\tBricks\toptional\tnone\tnone\n$/)
  t.match((await run('organisations', 'rename', '--id', 'acme', '--name', 'Acme Group')).out, 'acme\tAcme Group\t')
  t.match(
    (await run('organisations', 'limits', '--id', 'acme', '--max-users', 'none', '--max-sources', '0')).out,
    'acme\tAcme Group\toptional\tnone\t0\n'
  )
  t.match(await run('organisations', 'limits', '--id', 'nobody', '--max-users', '1'), {
    code: 1,
    error: 'fastify-gatehouse: there is no organisation nobody'
  })
  t.match((await run('organisations', 'list')).out, /Bricks[^]*acme\tAcme Group/)

  const { actions } = await openStore(t, variables.DATA_DIR)
  t.same(await actions('acme'), [
    ['organisation.updated', { maxUsers: null, maxSources: 0, by: 'command line' }],
    ['organisation.updated', { name: 'Acme Group', by: 'command line' }],
    ['organisation.created', { name: 'Acme Ltd', maxUsers: 2, by: 'command line' }]
  ])
})

t.test('the operator creates the owner of an organisation, and adds a user to another', async (t) => {
  const { run, variables } = await setUp(t)
  await run('organisations', 'create', '--name', 'Acme Ltd', '--id', 'acme')
  t.match(await run('create-admin', '--email', 'ann@example.com', '--role', 'owner', '--org', 'nobody'), {
    code: 1,
    error: /there is no organisation nobody; create it with/
  })
  t.match((await run('create-admin', '--email', 'ann@example.com', '--role', 'owner', '--org', 'acme')).out, 'Password: ')
  t.match(await run('create-admin', '--email', 'ann@example.com', '--org', 'acme'), {
    code: 1,
    error: /already a member of acme/
  })
  await run('organisations', 'create', '--name', 'Second', '--id', 'second')
  t.match(await run('create-admin', '--email', 'Ann@Example.com', '--role', 'viewer', '--org', 'second'), {
    code: 0,
    out: 'Added ann@example.com to second as viewer; the password is unchanged\n'
  })

  const { store, actions } = await openStore(t, variables.DATA_DIR)
  const ann = await store.users.findByEmail('ann@example.com')
  t.same(
    (await store.members.ofUser(ann?.id ?? '')).map(({ orgId, role }) => [orgId, role]),
    [['acme', 'owner'], ['second', 'viewer']]
  )
  t.same(await actions('second'), [
    ['user.added', { role: 'viewer', by: 'command line' }],
    ['organisation.created', { name: 'Second', by: 'command line' }]
  ])
})

t.test('wrong values are refused before the database is opened', async (t) => {
  const { run } = await setUp(t)
  for (
    const args of [['create'], ['create', '--name', ''], ['create', '--name', 'a\nb'], ['create', '--name', 'x'.repeat(201)],
      ['create', '--name', 'A', '--id', '../x'], ['create', '--name', 'A', '--max-users', 'x'],
      ['create', '--name', 'A', '--max-sources', '1e3'], ['rename', '--id', 'acme'], ['limits', '--id', 'acme'], ['limits']]
  ) {
    const { code, error } = await run('organisations', ...args)
    t.equal(code, 1, args.join(' '))
    t.match(error, /^fastify-gatehouse: (--|organisations )/, args.join(' '))
  }
})

t.test('the operator vouches for an email domain, which one organisation can have', async (t) => {
  const { run, variables } = await setUp(t)
  for (const id of ['acme', 'bricks']) await run('organisations', 'create', '--name', id, '--id', id)
  const verify = (id: string, domain: string) => run('organisations', 'verify-domain', '--id', id, '--domain', domain)
  t.match(await verify('acme', 'Example.com'), { code: 0, out: 'example.com belongs to acme\n' })
  t.match(await verify('acme', 'example.com'), { code: 0 })
  t.match(await verify('bricks', 'example.com'), {
    code: 1,
    error: 'fastify-gatehouse: another organisation has proved example.com'
  })
  t.match(await verify('nobody', 'example.com'), { code: 1, error: 'fastify-gatehouse: there is no organisation nobody' })
  t.match(await verify('acme', 'localhost'), { code: 1, error: /^fastify-gatehouse: --domain must be an email domain/ })
  const { store, actions } = await openStore(t, variables.DATA_DIR)
  t.same(await store.ssoDomains.findVerified('example.com'), { orgId: 'acme', sso: 'optional' })
  t.match((await actions('acme'))[0], ['sso.domain_verified', { domain: 'example.com', by: 'command line' }])
})
