import t from 'tap'

import { caller } from '../../../helpers/admin-caller.js'
import { dnsServer } from '../../../helpers/dns-server.js'
import { ssoApp } from '../../../helpers/sso.js'
import type { DomainItem } from '../../../../schemas/admin-sso.js'

t.test('a domain is proved by its TXT record, also in several strings, and by no other record', async (t) => {
  const dns = await dnsServer(t)
  const admin = await ssoApp(t, { sso: { nameServers: [dns.address] } })
  const owner = await caller(admin)
  const created = await owner.send('POST', '/sso-domains', { domain: 'Bücher.example' })
  t.equal(created.statusCode, 201)
  const domain = created.json<DomainItem>()
  t.match(domain, {
    domain: 'xn--bcher-kva.example',
    sso: 'optional',
    verified_at: null,
    txt_name: '_gatehouse.xn--bcher-kva.example',
    txt_value: /^gatehouse-domain-verification=[\w-]{32}$/
  })
  const verify = () => owner.send('POST', `/sso-domains/${domain.id}/verify`)
  const value = domain.txt_value
  for (const answer of [3, [], [['other']], [[`${value}x`]], [[value.toUpperCase()]], [[''], ['a', value]]] as const) {
    dns.answers.set(domain.txt_name, answer)
    const reply = await verify()
    t.equal(reply.statusCode, 409, JSON.stringify(answer))
    t.equal(reply.json().error.code, 'CONFLICT')
  }
  dns.answers.set(domain.txt_name, 2)
  const unavailable = await verify()
  t.equal(unavailable.statusCode, 503)
  t.equal(unavailable.headers['retry-after'], '60')
  t.equal((await owner.get(`/sso-domains/${domain.id}`)).json().verified_at, null)

  dns.answers.set(domain.txt_name, [['other'], [value.slice(0, 20), value.slice(20)]])
  const verified = await verify()
  t.equal(verified.statusCode, 200)
  t.type(verified.json().verified_at, 'string')
  t.equal(dns.asked.every((name) => name === domain.txt_name), true)
  dns.answers.delete(domain.txt_name)
  t.equal((await verify()).statusCode, 200, 'a proved domain stays proved')
  const [entry] = await admin.audited('sso.domain_verified')
  t.match(entry, { resourceType: 'sso_domain', resourceId: domain.id, changes: { domain: 'xn--bcher-kva.example' } })
})

t.test('name servers that do not respond are 503 within seconds', async (t) => {
  const dns = await dnsServer(t)
  const admin = await ssoApp(t, { sso: { nameServers: [dns.address] } })
  const owner = await caller(admin)
  const { id, txt_name: name } = (await owner.send('POST', '/sso-domains', { domain: 'example.com' })).json<DomainItem>()
  dns.answers.set(name, 'silent')
  const reply = await owner.send('POST', `/sso-domains/${id}/verify`)
  t.equal(reply.statusCode, 503)
  t.equal(reply.json().error.code, 'UNAVAILABLE')
})

t.test('of two organisations with the TXT record of one, the other is refused', async (t) => {
  const dns = await dnsServer(t)
  const admin = await ssoApp(t, { sso: { nameServers: [dns.address] } })
  const [first, second] = [await caller(admin, 'owner', 'org-a'), await caller(admin, 'owner', 'org-b')]
  const [one, other] = await Promise.all([first, second].map(async (owner) =>
    (await owner.send('POST', '/sso-domains', { domain: 'example.com' })).json<DomainItem>()))
  if (one === undefined || other === undefined) throw new Error('no domain was created')
  t.not(one.txt_value, other.txt_value)
  dns.answers.set(one.txt_name, [[one.txt_value]])
  t.equal((await second.send('POST', `/sso-domains/${other.id}/verify`)).statusCode, 409)
  t.equal((await first.send('POST', `/sso-domains/${one.id}/verify`)).statusCode, 200)
  dns.answers.set(one.txt_name, [[one.txt_value], [other.txt_value]])
  const refused = await second.send('POST', `/sso-domains/${other.id}/verify`)
  t.equal(refused.statusCode, 409)
  t.match(refused.json().error.message, 'Another organisation has proved this domain')
})

t.test('a domain of another organisation is 404 on every route, and malformed domains are 400', async (t) => {
  const admin = await ssoApp(t)
  const [owner, foreign] = [await caller(admin, 'owner', 'org-a'), await caller(admin, 'owner', 'org-b')]
  const { id } = (await owner.send('POST', '/sso-domains', { domain: 'example.com' })).json<DomainItem>()
  for (const reply of [
    await foreign.get(`/sso-domains/${id}`),
    await foreign.send('POST', `/sso-domains/${id}/verify`),
    await foreign.send('PATCH', `/sso-domains/${id}`, { sso: 'optional' }),
    await foreign.send('DELETE', `/sso-domains/${id}`)
  ]) {
    t.equal(reply.statusCode, 404)
    t.equal(reply.json().error.code, 'NOT_FOUND')
  }
  t.strictSame((await foreign.get('/sso-domains')).json().data, [])
  t.equal((await owner.get('/sso-domains')).json().data.length, 1)
  t.equal((await owner.send('POST', '/sso-domains', { domain: 'example.com' })).statusCode, 409)
  for (const domain of ['localhost', '*.example.com', 'https://example.com', '127.0.0.1']) {
    const reply = await owner.send('POST', '/sso-domains', { domain })
    t.equal(reply.statusCode, 400, domain)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/domain' }] })
  }
  t.equal((await owner.send('DELETE', `/sso-domains/${id}`)).statusCode, 204)
  t.equal((await owner.get(`/sso-domains/${id}`)).statusCode, 404)
})

t.test('single sign-on is required only of a proved domain with an enabled provider', async (t) => {
  const dns = await dnsServer(t)
  const admin = await ssoApp(t, { sso: { nameServers: [dns.address] } })
  const owner = await caller(admin)
  const { id, txt_name: name, txt_value: value } =
    (await owner.send('POST', '/sso-domains', { domain: 'example.com' })).json<DomainItem>()
  const require = () => owner.send('PATCH', `/sso-domains/${id}`, { sso: 'required' })
  t.match((await require()).json().error, { code: 'CONFLICT', message: /^Prove the domain/ })
  dns.answers.set(name, [[value]])
  await owner.send('POST', `/sso-domains/${id}/verify`)
  t.match((await require()).json().error, { code: 'CONFLICT', message: /^Add an enabled identity provider/ })
})

t.test('only owners change domains and providers, and admins read them', async (t) => {
  const admin = await ssoApp(t)
  await caller(admin)
  for (const role of ['admin', 'editor', 'viewer'] as const) {
    const actor = await caller(admin, role)
    t.equal((await actor.get('/sso-domains')).statusCode, role === 'admin' ? 200 : 403, role)
    t.equal((await actor.get('/identity-providers')).statusCode, role === 'admin' ? 200 : 403, role)
    t.equal((await actor.send('POST', '/sso-domains', { domain: 'example.com' })).statusCode, 403, role)
    const body = { kind: 'oidc', name: 'x', settings: {} }
    t.equal((await actor.send('POST', '/identity-providers', body)).statusCode, 403, role)
  }
})
