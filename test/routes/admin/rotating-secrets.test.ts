import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import adminApi from '../../../routes/admin/api/index.js'
import adminAuth from '../../../routes/admin/auth/index.js'
import adminUsers from '../../../routes/admin/users/index.js'
import type { TokenPair } from '../../../schemas/admin-auth.js'
import { PASSWORD, cheapPasswords } from '../../helpers/admin.js'
import { emptyDatabase } from '../../helpers/pglite.js'

const OLD = 'k7Qd-2mVx9_pLw4ZtR8yBn3Hs6Jf1Gc0'
const NEW = 'Zt5Rw-8cMx2_vQh7KpD4yNj9Bs1Lf6Ga'

/** One instance with its own store on the shared database, as after a restart with these secrets. */
class Instance {
  readonly app: FastifyInstance
  readonly secrets: readonly string[]
  readonly #links: string[]

  private constructor (app: FastifyInstance, secrets: readonly string[], links: string[]) {
    this.app = app
    this.secrets = secrets
    this.#links = links
  }

  static async start (database: Database, secrets: readonly string[]): Promise<Instance> {
    const [app, links]: [FastifyInstance, string[]] = [Fastify(), []]
    const limits = { userRateLimit: false, tokenRateLimit: false } as const
    const grace = { reuseGrace: 10_000, secretsKeys: secrets }
    await app.register(tokenStore, { store: sqlStore(database, { secretsKeys: secrets }), sweepEvery: 0 })
    const passwords = await cheapPasswords()
    await app.register(adminAuth, { jwtSecrets: secrets, loginRateLimit: false, passwords, ...grace, ...limits })
    await app.register(adminApi, { jwtSecrets: secrets, ...limits })
    await app.register(adminUsers, {
      jwtSecrets: secrets,
      linkUrl: 'https://app.example.com/account',
      sendMail: async ({ link }) => {
        links.push(link ?? '')
      },
      ...limits
    })
    // As the sweep of the store does, which seals the secrets again under the first key.
    await app.tokenStore.sweep({ auditRetention: 86_400_000 })
    return new Instance(app, secrets, links)
  }

  async call (method: 'GET' | 'POST', path: string, token: string, payload?: object) {
    const reply = await this.app.inject({
      method,
      url: `/v1/admin${path}`,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...payload === undefined ? {} : { payload }
    })
    return { status: reply.statusCode, body: reply.body === '' ? {} : reply.json() }
  }

  async logIn (): Promise<TokenPair> {
    return (await this.call('POST', '/auth/login', '', { email: 'ann@example.com', password: PASSWORD })).body
  }

  /** Invites an address and returns the token of the mailed link. */
  async invite (token: string, email: string): Promise<string> {
    await this.call('POST', '/users/invite', token, { email, role: 'viewer' })
    return decodeURIComponent(this.#links.at(-1)?.split('token=')[1] ?? '')
  }
}

/** Checks that each of two instances accepts what the other one signs and seals. */
async function checkBoth (t: Test, instances: readonly [Instance, Instance], step: string): Promise<void> {
  const [one, two] = instances
  for (const [from, to, name] of [[one, two, 'first'], [two, one, 'second']] as const) {
    const title = `${step}: what the ${name} instance issues`
    const pair = await from.logIn()
    t.equal((await to.call('GET', '/auth/me', pair.access_token)).status, 200, `${title}, an access token`)
    const next = await to.call('POST', '/auth/refresh', '', { refresh_token: pair.refresh_token })
    t.equal(next.status, 200, `${title}, a refresh token`)
    const repeat = await from.call('POST', '/auth/refresh', '', { refresh_token: pair.refresh_token })
    t.same(repeat.body, next.body, `${title}, the stored response of a repeated refresh`)

    const { body: source } = await from.call('POST', '/sources', pair.access_token, { name: 'Shop' })
    const resolved = await to.app.tokenStore.sources.resolve(source.pipeline_key)
    t.equal(resolved?.secrets[0]?.value.toString(), source.server_secret, `${title}, a server secret`)
    const { body: page } = await from.call('GET', '/sources?limit=1', pair.access_token)
    const following = await to.call('GET', `/sources?limit=1&cursor=${page.next_cursor}`, pair.access_token)
    t.equal(following.status, 200, `${title}, a cursor`)
    const link = await from.invite(pair.access_token, `${name}-${from.secrets.length}@example.com`)
    const inspected = await to.call('POST', '/invitations/inspect', '', { token: link })
    t.equal(inspected.status, 200, `${title}, the link of an invitation`)
  }
}

async function setUp (t: Test) {
  const database = await emptyDatabase()
  let instances: [Instance, Instance] = [await Instance.start(database, [OLD]), await Instance.start(database, [OLD])]
  t.teardown(() => Promise.all(instances.map(({ app }) => app.close())))
  const { users } = instances[0].app.tokenStore
  await users.create({
    orgId: 'default',
    email: 'ann@example.com',
    passwordHash: await (await cheapPasswords()).hash(PASSWORD),
    role: 'owner'
  })
  /** Restarts one instance with other secrets, while the other one goes on. */
  async function restart (which: 0 | 1, secrets: readonly string[]): Promise<readonly [Instance, Instance]> {
    await instances[which].app.close()
    const fresh = await Instance.start(database, secrets)
    instances = which === 0 ? [fresh, instances[1]] : [instances[0], fresh]
    return instances
  }
  return { instances: () => instances, restart }
}

const STEPS = [
  [0, [OLD, NEW], 'the first instance knows the new secret'],
  [1, [OLD, NEW], 'both know it'],
  [0, [NEW, OLD], 'the first instance signs with it'],
  [1, [NEW, OLD], 'both sign with it'],
  [0, [NEW], 'the first instance drops the old secret'],
  [1, [NEW], 'both have dropped it']
] as const

t.test('the secrets of two instances rotate in three steps, one restart after the other, and everything ' +
  'stays valid', async (t) => {
  const { instances, restart } = await setUp(t)
  const session = await instances()[0].logIn()
  const { body: source } = await instances()[0].call('POST', '/sources', session.access_token, { name: 'First' })
  let refreshToken = session.refresh_token
  for (const [which, secrets, step] of STEPS) {
    const both = await restart(which, secrets)
    await checkBoth(t, both, step)
    for (const instance of both) {
      const reply = await instance.call('POST', '/auth/refresh', '', { refresh_token: refreshToken })
      t.equal(reply.status, 200, `${step}: the session from before the rotation goes on`)
      refreshToken = reply.body.refresh_token
    }
  }
  for (const { app } of instances()) {
    const resolved = await app.tokenStore.sources.resolve(source.pipeline_key)
    t.equal(resolved?.secrets[0]?.value.toString(), source.server_secret, 'the secret from before is sealed again')
  }
})

t.test('an instance that signs with a secret the other one does not know yet is refused there', async (t) => {
  const { restart } = await setUp(t)
  const [one, two] = await restart(0, [NEW, OLD])
  const early = await one.logIn()
  t.equal((await two.call('GET', '/auth/me', early.access_token)).status, 401)
  t.equal((await two.call('POST', '/auth/refresh', '', { refresh_token: early.refresh_token })).status, 401)
  t.equal((await one.call('GET', '/auth/me', early.access_token)).status, 200, 'nothing was revoked by it')
  const known = await two.logIn()
  t.equal((await one.call('GET', '/auth/me', known.access_token)).status, 200)
})
