import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { DISCOVERY, hostileOidc } from '../../../helpers/hostile-oidc.js'
import type { HostileOidc } from '../../../helpers/hostile-oidc.js'
import { oidcLogin, SSO, tokensOf } from '../../../helpers/oidc-login.js'
import type { OidcLogin } from '../../../helpers/oidc-login.js'
import { cut, drip, flood, gzipBomb, hang, junk, redirect, reply } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'
import { canary } from '../../../helpers/canary.js'

const AWAY: Record<string, Answer> = {
  hangs: hang,
  drips: drip(),
  'ends the connection': cut,
  'sends no HTTP': junk,
  'sends 300 MB': flood(300_000_000),
  'sends a compressed bomb': gzipBomb(50_000_000),
  'has status 500': reply({ error: 'server_error' }, 500),
  'has status 429': reply({}, 429)
}
const UNUSABLE: Record<string, Answer> = {
  'is HTML': reply('<html>'),
  'is no JSON': reply('{', 200, { 'content-type': 'application/json' }),
  'is a list': reply([]),
  'has status 404': reply({}, 404)
}
const timeout = 300

interface Site { provider: HostileOidc, login: OidcLogin }

async function siteOf (t: Test, path: string): Promise<Site> {
  const provider = await hostileOidc(t)
  if (path === '/userinfo') {
    provider.claims = { email: undefined }
    provider.userinfo = { email: 'ann@example.com', email_verified: true }
  }
  return { provider, login: await oidcLogin(t, { issuer: provider.issuer, plugin: { timeout } }) }
}

/** Goes through a login as far as the endpoint is called. */
async function attempt ({ provider, login }: Site, path: string): Promise<LightMyRequestResponse> {
  if (path === DISCOVERY) return await login.app.inject({ url: `${SSO}/oidc/idp/start` })
  const jar = { cookie: '' }
  return await login.callback(jar, provider.respond(await login.start(jar)))
}

for (const path of [DISCOVERY, '/token', '/keys', '/userinfo']) {
  t.test(`a login fails, and nothing else, while ${path} of the provider`, async (t) => {
    const isCached = path === DISCOVERY || path === '/keys'
    let site = await siteOf(t, path)
    for (const [title, answer] of Object.entries({ ...AWAY, ...UNUSABLE })) {
      await t.test(title, async (t) => {
        if (isCached) site = await siteOf(t, path)
        const { provider, login } = site
        provider.answers.set(path, answer)
        const { error, entry } = await login.refused(t, await attempt(site, path))
        const isAway = title in AWAY || isCached
        t.equal(error, isAway ? 'provider_unavailable' : 'invalid_response')
        t.match(entry.changes, { reason: error, detail: String })
        provider.answers.clear()
        login.clock.now += 10_000
        t.ok((await tokensOf(login, provider.respond)).access_token, 'the next login succeeds')
      })
    }
  })

  t.test(`a redirect of ${path} is not followed`, async (t) => {
    const site = await siteOf(t, path)
    const trap = await canary(t)
    site.provider.answers.set(path, redirect(`${trap.origin}/`, 307))
    t.ok((await site.login.refused(t, await attempt(site, path))).error)
    t.equal(trap.connections(), 0)
  })
}

t.test('a provider that is away does not delay a login at another provider', async (t) => {
  const [away, other] = [await hostileOidc(t), await hostileOidc(t)]
  away.answers.set(DISCOVERY, hang)
  const login = await oidcLogin(t, {
    issuer: other.issuer,
    plugin: {
      timeout: 8_000,
      providers: [{
        id: 'away', orgId: 'default', name: 'Away', settings: { issuer: away.issuer, client_id: 'gate' }, secrets: ['s'.repeat(32)]
      }]
    }
  })
  let isOver = false
  const slow = login.app.inject({ url: `${SSO}/oidc/away/start` }).then(() => { isOver = true })
  t.ok((await tokensOf(login, other.respond)).access_token)
  t.notOk(isOver)
  await away.upstream.close()
  await slow
})
