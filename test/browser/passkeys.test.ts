import t from 'tap'
import type { Test } from 'tap'
import type { CDPSession, Page } from 'playwright-core'

import { PASSWORD, decode } from '../helpers/admin.js'
import { openBrowser } from '../helpers/browser.js'
import { freePort } from '../helpers/free-port.js'
import { mfaApp } from '../helpers/mfa.js'
import type { MfaApp } from '../helpers/mfa.js'

const ANN = 'ann@example.com'
const BOB = 'bob@example.com'

/** Runs in the page: what the console of an administrator does. */
const SCRIPT = `
window.post = async (path, body = {}, token) => {
  const response = await fetch('/v1/admin/auth/' + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...token ? { Authorization: 'Bearer ' + token } : {} },
    body: JSON.stringify(body)
  })
  return { status: response.status, body: response.status === 204 ? null : await response.json() }
}
window.create = async (options) => (await navigator.credentials.create({
  publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)
})).toJSON()
window.get = async (options) => (await navigator.credentials.get({
  publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)
})).toJSON()
`

interface Site {
  app: MfaApp
  page: Page
  devtools: CDPSession
  authenticatorId: string
  /** Runs a script in the page. */
  run <Result> (script: string): Promise<Result>
}

interface Answer {
  status: number
  body: Record<string, unknown>
}

/** The admin routes and a page on localhost, in Chromium with its virtual authenticator. */
async function openSite (t: Test): Promise<Site | null> {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const app = await mfaApp(t, {
    server: { forceCloseConnections: true },
    mfa: { passkeys: { rpId: 'localhost', rpName: 'Example', origins: [origin] } },
    before: async (app) => {
      app.get('/', (_request, reply) =>
        reply.type('text/html').send(`<!doctype html><title>x</title><script>${SCRIPT}</script>`))
    }
  })
  await app.app.listen({ port, host: 'localhost' })
  const page = await browser.newPage()
  await page.goto(origin)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  return {
    app,
    page,
    devtools,
    authenticatorId,
    run: async <Result>(script: string) => await page.evaluate(`(async () => { ${script} })()`) as Result
  }
}

/** Registers a passkey of a user who is logged in. */
async function register ({ run }: Site, token: string): Promise<Answer> {
  return run<Answer>(`
    const start = (await post('mfa/passkeys/options', { current_password: ${JSON.stringify(PASSWORD)} }, '${token}')).body
    const credential = await create(start.options)
    return post('mfa/passkeys', { challenge_token: start.challenge_token, name: 'Laptop', credential }, '${token}')
  `)
}

const PASSWORDLESS = `
  const start = (await post('passkey/options')).body
  const answer = { challenge_token: start.challenge_token, credential: await get(start.options) }
`

t.test('a passkey is registered, is a second factor, and logs in without a password', async (t) => {
  const site = await openSite(t)
  if (site === null) return
  const { app, run } = site
  const { id } = await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  const registered = await register(site, token)
  t.equal(registered.status, 201)
  t.match(registered.body, { passkey: { name: 'Laptop', last_used_at: null } })
  t.equal((registered.body['recovery_codes'] as string[]).length, 10)
  const stored = (await app.store.factors.get(id)).passkeys[0]
  t.match(stored, { userId: id, transports: ['internal'] })

  const challenge = await app.challenge(ANN)
  t.same(challenge.methods, ['passkey', 'recovery_code'])
  const second = await run<Answer>(`
    const start = (await post('mfa/passkey/options', { mfa_token: '${challenge.mfa_token}' })).body
    const credential = await get(start.options)
    const body = { mfa_token: '${challenge.mfa_token}', challenge_token: start.challenge_token, credential }
    return post('mfa/passkey/verify', body)
  `)
  t.equal(second.status, 200)
  t.equal((await app.get('me', String(second.body['access_token']))).json().id, id)
  t.ok((await app.store.factors.get(id)).passkeys[0]?.lastUsedAt)

  const { challenge: login, first, again } = await run<Record<string, Answer>>(`
    ${PASSWORDLESS}
    return { challenge: start, first: await post('passkey/login', answer), again: await post('passkey/login', answer) }
  `)
  t.match(login, { options: { userVerification: 'required', rpId: 'localhost' } })
  t.notOk((login as unknown as { options: { allowCredentials?: unknown } }).options.allowCredentials)
  t.equal(first?.status, 200)
  t.equal(again?.status, 401, 'the same proof a second time')
  const access = String(first?.body['access_token'])
  t.equal((await app.get('me', access)).json().id, id)
  const session = await app.store.sessions.access(String(decode(access).claims['sid']))
  t.equal(session?.mfaAt, app.clock.now, 'it counts as both factors')

  app.clock.now += 301_000
  const fresh = () => app.post('mfa/recovery-codes', {}, access)
  t.equal((await fresh()).statusCode, 401)
  const stepUp = await run<Answer>(`
    const start = (await post('mfa/step-up/options', {}, '${access}')).body
    const body = { challenge_token: start.challenge_token, credential: await get(start.options) }
    return post('mfa/step-up', body, '${access}')
  `)
  t.equal(stepUp.status, 204)
  t.equal((await fresh()).statusCode, 200)
})

t.test('a login without a password needs a verified user, and a counter that rises', async (t) => {
  const site = await openSite(t)
  if (site === null) return
  const { app, run, devtools, authenticatorId } = site
  const { id } = await app.addUser(ANN)
  await register(site, (await app.login(ANN)).access_token)
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  const refused = await run<Answer>(`
    const start = (await post('passkey/options')).body
    const credential = await get({ ...start.options, userVerification: 'discouraged' })
    return post('passkey/login', { challenge_token: start.challenge_token, credential })
  `)
  t.equal(refused.status, 401, 'the authenticator did not verify the user')
  t.match(refused.body, { error: { code: 'INVALID_CREDENTIALS', message: 'The passkey was not accepted; try again' } })
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  const login = () => run<Answer>(`${PASSWORDLESS} return post('passkey/login', answer)`)
  t.equal((await login()).status, 200, 'the user is verified again')

  const counter = (await app.store.factors.get(id)).passkeys[0]?.counter ?? 0
  t.ok(counter > 0, 'the authenticator counts')
  const { credentials: [copied] } = await devtools.send('WebAuthn.getCredentials', { authenticatorId })
  if (copied === undefined) throw new Error('the authenticator has no credential')
  await devtools.send('WebAuthn.clearCredentials', { authenticatorId })
  await devtools.send('WebAuthn.addCredential', { authenticatorId, credential: { ...copied, signCount: 0 } })
  t.equal((await login()).status, 401, 'the counter of a copy')
  t.equal((await app.store.factors.get(id)).passkeys[0]?.counter, counter, 'the stored counter stays')
  const failed = (await app.audited('auth.login_failed')).find(({ action }) => action === 'auth.login_failed')
  t.match(failed, { changes: { reason: 'passkey' } })
})

t.test('a passkey logs in only its own user, and cannot be registered twice', async (t) => {
  const site = await openSite(t)
  if (site === null) return
  const { app, page, run } = site
  await app.addUser(ANN)
  await app.addUser(BOB)
  const { access_token: token } = await app.login(ANN)
  await register(site, token)
  const bobs = (await app.login(BOB)).access_token
  await app.enrol(bobs)
  const { mfa_token: mfaToken } = await app.challenge(BOB)
  const stolen = await run<Answer>(`
    const start = (await post('mfa/passkey/options', { mfa_token: '${mfaToken}' })).body
    const { allowCredentials, ...any } = start.options
    const body = { mfa_token: '${mfaToken}', challenge_token: start.challenge_token, credential: await get(any) }
    return post('mfa/passkey/verify', body)
  `)
  t.equal(stolen.status, 401, 'the passkey of another user')
  const again = await page.evaluate(`(async () => {
    const start = (await post('mfa/passkeys/options', {}, '${token}')).body
    return create(start.options).then(() => 'created', (error) => error.name)
  })()`)
  t.equal(again, 'InvalidStateError', 'the browser knows that the passkey exists')
})
