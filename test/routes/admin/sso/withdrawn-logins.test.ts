import t from 'tap'

import { UNAVAILABLE } from '../../../../lib/errors.js'
import { totpCode } from '../../../helpers/mfa.js'
import { trustingApp } from '../../../helpers/trusting-provider.js'
import type { TrustingApp } from '../../../helpers/trusting-provider.js'

const WITHDRAWALS: ReadonlyArray<[title: string, withdraw: (app: TrustingApp, userId: string) => Promise<unknown>]> = [
  ['the identity is unlinked', (app, id) => app.store.identities.unlink('default', id, app.provider)],
  ['the provider is deleted', (app) => app.store.identityProviders.delete('default', app.provider)],
  ['the provider is disabled',
    (app) => app.store.identityProviders.update('default', app.provider, { enabled: false })],
  ['the user is disabled', (app, id) => app.store.members.update('default', id, { disabled: true })],
  ['the user is removed', (app, id) => app.store.members.remove('default', id)],
  ['all tokens of the user are revoked', (app, id) => app.store.sessions.endAll(id)],
  ['the provider logs the person out',
    (app) => app.store.sessions.endSso(app.provider, { subject: 'person-1' })]
]

for (const [title, withdraw] of WITHDRAWALS) {
  t.test(`a code starts no session after ${title}`, async (t) => {
    const app = await trustingApp(t)
    const { id } = await app.addUser('ann@example.com', 'viewer')
    const finished = await app.finish({})
    await withdraw(app, id)
    const reply = await app.exchange(finished)
    t.equal(reply.statusCode, 401)
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
    t.strictSame(await app.store.sessions.list(id), [])
  })

  t.test(`a second factor starts no session after ${title}`, async (t) => {
    const app = await trustingApp(t, { mfa: {} })
    const { id } = await app.addUser('ann@example.com', 'viewer')
    await app.store.organisations.update('default', { mfa: 'required' })
    const { mfa_token: token } = (await app.loginAt({})).json()
    const { secret } = (await app.post('mfa/enrol/totp', { mfa_token: token })).json()
    await withdraw(app, id)
    const code = totpCode(secret, app.clock.now)
    const reply = await app.post('mfa/enrol/totp/confirm', { mfa_token: token, code })
    t.equal(reply.statusCode, 401)
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
    t.strictSame(await app.store.sessions.list(id), [])
  })
}

t.test('a login with a long ID token continues with the second factor', async (t) => {
  const app = await trustingApp(t, { mfa: {} })
  await app.addUser('ann@example.com', 'viewer')
  await app.store.organisations.update('default', { mfa: 'required' })
  for (const length of [1_000, 8_192, 60_000]) {
    const { mfa_token: token } = (await app.loginAt({ hint: 'x'.repeat(length) })).json()
    t.equal((await app.post('mfa/enrol/totp', { mfa_token: token })).statusCode, 200, String(length))
  }
})

t.test('a logout at the provider prevents the session of a response that is being verified', async (t) => {
  const app = await trustingApp(t)
  const { id } = await app.addUser('ann@example.com', 'viewer')
  const finished = await app.finish({}, {
    beforeFinish: async () => {
      app.clock.now += 1_000
      await app.store.sessions.endSso(app.provider, { subject: 'person-1' })
      app.clock.now += 1_000
    }
  })
  t.equal((await app.exchange(finished)).statusCode, 401)
  t.strictSame(await app.store.sessions.list(id), [])
  t.equal((await app.loginAt({})).statusCode, 200, 'the next login starts one')
})

t.test('a store that is unavailable during the exchange is 503, not a login that has expired', async (t) => {
  const app = await trustingApp(t)
  await app.addUser('ann@example.com', 'viewer')
  const finished = await app.finish({})
  Object.assign(app.store.identityProviders, { resolve: () => Promise.reject(new UNAVAILABLE()) })
  const reply = await app.exchange(finished)
  t.equal(reply.statusCode, 503)
  t.equal(reply.json().error.code, 'UNAVAILABLE')
})
