import t from 'tap'
import type { Test } from 'tap'

import { memoryStore } from '../../../../plugins/token-store/memory/index.js'
import { PASSWORD } from '../../../helpers/admin.js'
import { mfaApp } from '../../../helpers/mfa.js'
import { SoftAuthenticator } from '../../../helpers/soft-authenticator.js'
import type { Changes } from '../../../helpers/soft-authenticator.js'

const ANN = 'ann@example.com'
const BOB = 'bob@example.com'
const ORIGIN = 'https://console.example.com'
const RP_ID = 'example.com'

async function setUp (t: Test) {
  const app = await mfaApp(t, { mfa: { passkeys: { rpId: RP_ID, origins: [ORIGIN] } } })
  const { id } = await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  const device = new SoftAuthenticator(ORIGIN)
  const start = async (access = token) =>
    (await app.post('mfa/passkeys/options', { current_password: PASSWORD }, access)).json()
  return {
    ...app,
    id,
    token,
    device,
    start,
    async register (authenticator = device, access = token) {
      const { options, challenge_token } = await start(access)
      const credential = authenticator.create(options)
      const reply = await app.post('mfa/passkeys', { challenge_token, name: 'Key', credential }, access)
      if (reply.statusCode !== 201) throw new Error(`register: ${reply.statusCode} ${reply.body}`)
      return reply.json()
    },
    loginOptions: async () => (await app.post('passkey/options', {})).json(),
    async loginWithPasskey (changes: Changes = {}, fields: object = {}) {
      const { options, challenge_token } = (await app.post('passkey/options', {})).json()
      return app.post('passkey/login', { challenge_token, credential: device.get(options, changes), ...fields })
    }
  }
}

const WRONG: Record<string, Changes> = {
  'another origin': { origin: 'https://evil.test' },
  'a look-alike origin': { origin: 'https://console.example.com.evil.test' },
  'a subdomain that is not listed': { origin: 'https://other.example.com' },
  'the origin without TLS': { origin: 'http://console.example.com' },
  'the origin on another port': { origin: `${ORIGIN}:8443` },
  'another relying party': { rpId: 'evil.test' },
  'the type of another ceremony': { type: 'payment.get' },
  'another challenge': { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  'no user present': { present: false }
}

t.test('a registration that is not for this challenge and site stores nothing', async (t) => {
  const { id, token, device, start, post, store, clock } = await setUp(t)
  for (const [title, changes] of Object.entries(WRONG)) {
    const { options, challenge_token } = await start()
    const credential = device.create(options, changes)
    const reply = await post('mfa/passkeys', { challenge_token, name: 'Key', credential }, token)
    t.equal(reply.statusCode, 400, title)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', message: 'The passkey could not be registered; try again' })
  }
  const { options, challenge_token } = await start()
  const credential = device.create(options)
  const send = (body: object, access = token) => post('mfa/passkeys', { name: 'Key', ...body }, access)
  const { challenge_token: forLogin } = (await post('passkey/options', {})).json()
  const { access_token: other } = (await post('login', { email: ANN, password: PASSWORD })).json()
  t.equal((await send({ challenge_token: forLogin, credential })).statusCode, 400, 'the token of a login')
  t.equal((await send({ challenge_token: 'v1.x.y.z', credential })).statusCode, 400, 'no token')
  t.equal((await send({ challenge_token, credential }, other)).statusCode, 400, 'the token of another session')
  clock.now += 300_000
  t.equal((await send({ challenge_token, credential })).statusCode, 400, '5 minutes later')
  t.same((await store.factors.get(id)).passkeys, [])
})

t.test('a passkey is registered once, listed, read and removed', async (t) => {
  const { id, token, device, start, register, post, get, send, store, audited } = await setUp(t)
  const { options, challenge_token } = await start()
  t.match(options, { rp: { id: RP_ID, name: RP_ID }, user: { name: ANN }, attestation: 'none', excludeCredentials: [] })
  t.notMatch(options.user.id, id, 'the user handle does not contain the id')
  const credential = device.create(options)
  const body = { challenge_token, name: 'Key', credential }
  const reply = await post('mfa/passkeys', body, token)
  t.equal(reply.statusCode, 201)
  t.equal(reply.json().recovery_codes.length, 10)
  const { passkey } = reply.json()
  t.equal((await post('mfa/passkeys', body, token)).statusCode, 400, 'the challenge was used')
  const { options: next, challenge_token: again } = await start()
  t.same(next.excludeCredentials.map((known: { id: string }) => known.id), [credential.id])
  const repeated = { challenge_token: again, name: 'Key', credential: device.create(next) }
  t.equal((await post('mfa/passkeys', repeated, token)).json().error.code, 'CONFLICT')
  const second = await register(new SoftAuthenticator(ORIGIN))
  t.same(second.recovery_codes, [])
  t.same((await get(`mfa/passkeys/${passkey.id}`, token)).json(), passkey)
  t.equal((await get('mfa', token)).json().passkeys.length, 2)
  t.equal((await send('DELETE', `auth/mfa/passkeys/${passkey.id}`, token)).statusCode, 204)
  t.equal((await send('DELETE', `auth/mfa/passkeys/${passkey.id}`, token)).statusCode, 404)
  t.equal((await get(`mfa/passkeys/${passkey.id}`, token)).statusCode, 404)
  t.same((await store.factors.get(id)).passkeys.map((own) => own.id), [second.passkey.id])
  const removed = (await audited('auth.mfa_removed')).find(({ action }) => action === 'auth.mfa_removed')
  t.match(removed, { changes: { method: 'passkey', name: 'Key' } })
})

t.test('a passkey of another user is 404', async (t) => {
  const { register, addUser, login, get, send, enrol, id, store } = await setUp(t)
  const { passkey } = await register()
  await addUser(BOB, 'owner')
  const { access_token: bob } = await login(BOB)
  await enrol(bob)
  t.equal((await get(`mfa/passkeys/${passkey.id}`, bob)).statusCode, 404)
  t.equal((await send('DELETE', `auth/mfa/passkeys/${passkey.id}`, bob)).statusCode, 404)
  t.equal((await store.factors.get(id)).passkeys.length, 1)
})

t.test('a passkey logs in without a password, to the organisation that is named', async (t) => {
  const { id, register, loginWithPasskey, get, store } = await setUp(t)
  await register()
  const reply = await loginWithPasskey()
  t.equal(reply.statusCode, 200)
  t.match((await get('me', reply.json().access_token)).json(), { id, org_id: 'default' })
  t.match(reply.headers['set-cookie'], /^gatehouse_device_/)
  await store.organisations.create({ id: 'org-b', name: 'B', mfa: 'required' })
  t.equal((await loginWithPasskey({}, { org_id: 'org-b' })).statusCode, 401, 'no member')
  await store.members.add({ orgId: 'org-b', userId: id, role: 'viewer' })
  const other = await loginWithPasskey({}, { org_id: 'org-b' })
  t.equal((await get('me', other.json().access_token)).json().org_id, 'org-b')
  await store.members.update('org-b', id, { disabled: true })
  t.equal((await loginWithPasskey({}, { org_id: 'org-b' })).statusCode, 401, 'disabled')
})

t.test('every login without a fresh proof of a known passkey gets the same error', async (t) => {
  const { register, loginWithPasskey, loginOptions, device, post, challenge, clock, id, send } = await setUp(t)
  const { passkey } = await register()
  const bodies = new Set<string>()
  const wrong: Record<string, Changes> = {
    ...WRONG,
    'a user who was not verified': { verified: false },
    'no user handle': { userHandle: null },
    'another user handle': { userHandle: 'AAAA' },
    'the id of the user as handle': { userHandle: Buffer.from(id).toString('base64url') }
  }
  for (const [title, changes] of Object.entries(wrong)) {
    const reply = await loginWithPasskey(changes)
    t.equal(reply.statusCode, 401, title)
    bodies.add(reply.body)
  }
  const attempt = async (change: (credential: ReturnType<SoftAuthenticator['get']>) => object) => {
    const { options, challenge_token } = await loginOptions()
    const reply = await post('passkey/login', { challenge_token, credential: change(device.get(options)) })
    bodies.add(reply.body)
    return reply.statusCode
  }
  const flip = (text: string, at: number) => {
    const bytes = Buffer.from(text, 'base64url')
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes.toString('base64url')
  }
  for (const part of ['signature', 'authenticatorData', 'clientDataJSON'] as const) {
    for (const at of [10, 33, 36]) {
      const status = await attempt(({ response, ...credential }) =>
        ({ ...credential, response: { ...response, [part]: flip(response[part], at) } }))
      t.equal(status, 401, `${part}, byte ${at}`)
    }
  }
  t.equal(await attempt((credential) => ({ ...credential, id: 'AAAA', rawId: 'AAAA' })), 401, 'an unknown credential')
  t.equal(await attempt((credential) => ({ ...credential, rawId: 'AAAA' })), 401, 'two ids')

  const { options, challenge_token } = await loginOptions()
  const { challenge_token: other } = await loginOptions()
  const credential = device.get(options)
  for (const token of [other, 'v1.x.y.z', (await challenge(ANN)).mfa_token]) {
    const reply = await post('passkey/login', { challenge_token: token, credential })
    t.equal(reply.statusCode, 401, 'the token of another challenge')
    bodies.add(reply.body)
  }
  clock.now += 300_000
  bodies.add((await post('passkey/login', { challenge_token, credential })).body)
  t.equal((await loginWithPasskey()).statusCode, 200, 'the passkey still works')
  await send('DELETE', `auth/mfa/passkeys/${passkey.id}`, (await loginWithPasskey()).json().access_token)
  bodies.add((await loginWithPasskey()).body)
  t.equal(bodies.size, 1, 'the response does not tell what was wrong')
})

t.test('only one of several parallel logins with one proof succeeds', async (t) => {
  const { register, loginOptions, device, post } = await setUp(t)
  await register()
  const { options, challenge_token } = await loginOptions()
  const body = { challenge_token, credential: device.get(options) }
  const replies = await Promise.all(Array.from({ length: 8 }, () => post('passkey/login', body)))
  t.equal(replies.filter(({ statusCode }) => statusCode === 200).length, 1)
})

t.test('a counter that does not rise is refused', async (t) => {
  const { register, loginWithPasskey, device, id, store } = await setUp(t)
  await register()
  const login = async (counter: number) => {
    device.counter = counter
    return (await loginWithPasskey()).statusCode
  }
  t.same([await login(0), await login(0)], [200, 200], 'an authenticator that does not count')
  t.same([await login(5), await login(5), await login(4), await login(0), await login(6)], [200, 401, 401, 401, 200])
  t.equal((await store.factors.get(id)).passkeys[0]?.counter, 6)
})

t.test('a passkey as second factor needs no user verification and is valid only for its own login', async (t) => {
  const { register, challenge, device, post, addUser, login } = await setUp(t)
  await register()
  const options = async (mfaToken: string) => (await post('mfa/passkey/options', { mfa_token: mfaToken })).json()
  const verify = (mfaToken: string, challengeToken: string, credential: object) =>
    post('mfa/passkey/verify', { mfa_token: mfaToken, challenge_token: challengeToken, credential })
  const { mfa_token: first, methods } = await challenge(ANN)
  t.same(methods, ['passkey', 'recovery_code'])
  const asked = await options(first)
  t.match(asked.options, { rpId: RP_ID, allowCredentials: [{ type: 'public-key' }] })
  const { mfa_token: second } = await challenge(ANN)
  const proof = device.get(asked.options, { verified: false, userHandle: null })
  t.equal((await verify(second, asked.challenge_token, proof)).statusCode, 401, 'the challenge of another login')
  t.equal((await verify(first, asked.challenge_token, proof)).statusCode, 200)
  t.equal((await verify(first, asked.challenge_token, proof)).statusCode, 401, 'once more')
  for (const [title, changes] of Object.entries(WRONG)) {
    const { mfa_token: token } = await challenge(ANN)
    const { options: request, challenge_token: challengeToken } = await options(token)
    t.equal((await verify(token, challengeToken, device.get(request, changes))).statusCode, 401, title)
    if (title === 'a subdomain that is not listed') {
      const { options: right, challenge_token: next } = await options(token)
      t.equal((await verify(token, next, device.get(right))).statusCode, 200, 'a right proof resets the failures')
    }
  }
  await addUser(BOB)
  const bobs = new SoftAuthenticator(ORIGIN)
  await register(bobs, (await login(BOB)).access_token)
  const { mfa_token: token } = await challenge(BOB)
  const { options: request, challenge_token: challengeToken } = await options(token)
  t.equal((await verify(token, challengeToken, device.get(request))).statusCode, 401, 'the passkey of another user')
})

t.test('a passkey is set up in the login to an organisation that requires a factor', async (t) => {
  const { device, challenge, post, get, store, id } = await setUp(t)
  await store.organisations.update('default', { mfa: 'required' })
  const { mfa_token: token } = await challenge(ANN)
  const { options, challenge_token } = (await post('mfa/enrol/passkeys/options', { mfa_token: token })).json()
  const body = { mfa_token: token, challenge_token, name: 'Key', credential: device.create(options) }
  const reply = await post('mfa/enrol/passkeys', body)
  t.equal(reply.statusCode, 200)
  t.equal(reply.json().recovery_codes.length, 10)
  t.equal((await get('me', reply.json().tokens.access_token)).json().id, id)
  t.equal((await post('mfa/enrol/passkeys/options', { mfa_token: token })).statusCode, 401, 'the user has a factor now')
})

t.test('malformed bodies are refused before anything is verified', async (t) => {
  const { loginOptions, device, post } = await setUp(t)
  const { options, challenge_token } = await loginOptions()
  const credential = device.get(options)
  const bodies: object[] = [{}, { challenge_token }, { credential }, { challenge_token, credential: 'x' },
    { challenge_token, credential: { ...credential, type: 'password' } },
    { challenge_token, credential: { ...credential, id: 'a b' } },
    { challenge_token, credential: { ...credential, response: {} } },
    { challenge_token, credential: { ...credential, response: { ...credential.response, signature: 'A'.repeat(8193) } } },
    { challenge_token: '', credential }, { challenge_token, credential, role: 'owner' }]
  for (const body of bodies) t.equal((await post('passkey/login', body)).statusCode, 400, JSON.stringify(body).slice(0, 80))
  const junk = { ...credential, response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' } }
  t.equal((await post('passkey/login', { challenge_token, credential: junk })).statusCode, 401)
})

t.test('wrong options of passkeys stop the start', async (t) => {
  const wrong: Array<[object, RegExp]> = [
    [{}, /passkeys\.rpId/],
    [{ rpId: '192.0.2.1', origins: ['https://192.0.2.1'] }, /passkeys\.rpId/],
    [{ rpId: 'https://example.com', origins: [ORIGIN] }, /passkeys\.rpId/],
    [{ rpId: 'Example.com', origins: [ORIGIN] }, /passkeys\.rpId/],
    [{ rpId: RP_ID }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: [] }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: ['https://evil.test'] }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: ['https://badexample.com'] }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: ['http://example.com'] }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: [`${ORIGIN}/`] }, /passkeys\.origins/],
    [{ rpId: RP_ID, origins: [ORIGIN], rpName: '' }, /passkeys\.rpName/],
    [{ rpId: RP_ID, origins: [ORIGIN], origin: ORIGIN }, /did you mean "passkeys\.origins"/]
  ]
  const store = memoryStore()
  for (const [passkeys, message] of wrong) {
    await t.rejects(mfaApp(t, { store, mfa: { passkeys: passkeys as never } }), { code: 'INVALID_OPTIONS', message })
  }
})
