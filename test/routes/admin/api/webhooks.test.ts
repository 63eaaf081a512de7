import t from 'tap'
import type { Test } from 'tap'

import { generateWebhookId } from '../../../../signing/webhooks/index.js'
import { adminApp } from '../../../helpers/admin.js'
import type { AdminAppOptions } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { logReader } from '../../../helpers/log-reader.js'

const SECRET = 'whsec_what-the-provider-gave-0123456789'

async function withSource (t: Test, options: AdminAppOptions = {}) {
  const admin = await adminApp(t, options)
  const owner = await caller(admin)
  const source = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const path = `/sources/${source.id}/webhooks`
  const create = async (body: object) => owner.send('POST', path, body)
  return { admin, owner, source, path, create }
}

t.test('a webhook is created with an id and the secret of the provider, and responses contain only the prefix of the ' +
  'secret', async (t) => {
  const { admin, owner, source, path, create } = await withSource(t)
  const reply = await create({ provider: 'stripe', secret: SECRET })
  t.equal(reply.statusCode, 201)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { id, created_at, updated_at, ...settings } = reply.json()
  t.match(id, /^wh_[0-9A-Za-z]{24}$/)
  t.equal(created_at, updated_at)
  t.same(settings, {
    source_id: source.id,
    name: 'Stripe',
    provider: 'stripe',
    secret_prefix: 'whsec_what-t',
    url: null,
    custom: null,
    mapping: null,
    enabled: true
  })
  const resolved = await admin.store.webhooks.resolve(id)
  t.equal(resolved?.secrets[0]?.value.toString(), SECRET)

  const again = [await owner.get(`${path}/${id}`), await owner.get(path),
    await owner.send('PATCH', `${path}/${id}`, { name: 'New' })]
  for (const { statusCode, body } of [reply, ...again]) {
    t.ok(statusCode < 300)
    t.notOk(body.includes(SECRET.slice(0, 14)))
    t.notMatch(body, /"secret"/)
  }
  t.match((await owner.get(path)).json(), { data: [{ id, name: 'New' }], next_cursor: null, has_more: false })
})

t.test('a secret is generated only for providers that accept a secret of the receiver, and is shown ' +
  'once', async (t) => {
  const { admin, owner, path, create } = await withSource(t)
  const custom = { header: 'X-Acme-Signature' }
  for (
    const [body, form] of [[{ provider: 'standard' }, /^whsec_[0-9A-Za-z+/]{43}=$/], [{ provider: 'custom', custom },
      /^[0-9A-Za-z_-]{43}$/]] as const
  ) {
    const reply = await create(body)
    t.equal(reply.statusCode, 201)
    const { id, secret } = reply.json()
    t.match(secret, form)
    t.notOk((await owner.get(`${path}/${id}`)).body.includes(secret))
    const rotated = (await owner.send('POST', `${path}/${id}/rotate-secret`, { overlap_seconds: 60 })).json()
    t.match(rotated.secret, form)
    t.not(rotated.secret, secret)
    t.equal((await admin.store.webhooks.resolve(id))?.secrets.length, 2)
  }
  for (const provider of ['stripe', 'shopify', 'hubspot']) {
    const reply = await create({ provider })
    t.equal(reply.statusCode, 400, provider)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/secret' }] })
  }
})

t.test('the custom provider has defaults for its signature, and its header names are stored in lower ' +
  'case', async (t) => {
  const { owner, path, create } = await withSource(t)
  const { id, custom } =
    (await create({ provider: 'custom', custom: { header: 'X-Acme-Signature', timestamp_header: 'X-Time' } })).json()
  t.same(custom, {
    header: 'x-acme-signature',
    encoding: 'hex',
    hash: 'sha256',
    prefix: '',
    timestamp_header: 'x-time',
    template: '{timestamp}.{body}'
  })
  const next = {
    header: 'x-hub-signature-512',
    encoding: 'base64',
    hash: 'sha512',
    prefix: 'sha512=',
    timestamp_header: null,
    template: 'v0:{timestamp}:{body}'
  }
  t.same((await owner.send('PATCH', `${path}/${id}`, { custom: next })).json().custom, next)
})

t.test('a webhook with an invalid or unknown member is 400 with the path of the member, and is not ' +
  'created', async (t) => {
  const { owner, path, create } = await withSource(t)
  const stripe = { provider: 'stripe', secret: SECRET }
  const custom = { header: 'x-a' }
  const mapped = (mapping: unknown, at: string): [object, string] => [{ ...stripe, mapping }, `/mapping${at}`]
  const cases: Array<[object, (string | undefined)?]> = [
    [{}, '/provider'],
    [{ secret: SECRET }, '/provider'],
    [{ provider: 'github', secret: SECRET }, '/provider'],
    [{ provider: 'none' }, '/provider'],
    [{ ...stripe, secret: '' }, '/secret'],
    [{ ...stripe, secret: 1 }, '/secret'],
    [{ ...stripe, secret: 'x'.repeat(1_025) }, '/secret'],
    [{ provider: 'standard', secret: 'whsec_***' }, '/secret'],
    [{ provider: 'custom', custom, secret: 'hex:z' }, '/secret'],
    [{ ...stripe, name: '' }, '/name'],
    [{ ...stripe, name: 'a\nb' }, '/name'],
    [{ ...stripe, enabled: 'true' }, '/enabled'],
    [{ ...stripe, id: 'wh_1' }],
    [{ ...stripe, org_id: 'x' }],
    [{ ...stripe, source_id: 'x' }],
    [{ ...stripe, verify: false }],
    ...['events.example.com', 'ftp://a.test/', 'https://a.test/v1?x=1', 'https://a.test/#x', 'https://u:p@a.test/',
      'https://a.test/ ', 'javascript:alert(1)', '', 5]
      .map((url): [object, string] => [{ ...stripe, url }, '/url']),
    [{ ...stripe, custom }, '/custom'],
    [{ provider: 'custom' }, '/custom'],
    [{ provider: 'custom', custom: null }, '/custom'],
    [{ provider: 'custom', custom: {} }, '/custom/header'],
    ...[{ header: 'a b' }, { header: '' }, { header: 'a:b' }, { header: 'a\r\nb' }].map((
      custom
    ): [object, string] => [{ provider: 'custom', custom }, '/custom/header']),
    [{ provider: 'custom', custom: { ...custom, encoding: 'base32' } }, '/custom/encoding'],
    [{ provider: 'custom', custom: { ...custom, hash: 'sha1' } }, '/custom/hash'],
    [{ provider: 'custom', custom: { ...custom, prefix: 'a\n' } }, '/custom/prefix'],
    [{ provider: 'custom', custom: { ...custom, template: '{body}' } }, '/custom/template'],
    [{ provider: 'custom', custom: { ...custom, verify: false } }, '/custom'],
    mapped({ userId: '$.' }, '/userId'),
    mapped({ userId: '$..id' }, '/userId'),
    mapped({ userId: '$[*,*]' }, '/userId'),
    mapped({ userId: ['$.a', '$['] }, '/userId/1'),
    mapped({ event: "$[?match(@.a, '(a+)+$')]" }, '/event'),
    mapped({ event: "$[?search(@.a, 'x')]" }, '/event'),
    mapped({ event: '$[?count(@.*) > 1]' }, '/event'),
    mapped({ event: '$[?$[*] == 1]' }, '/event'),
    mapped({ event: '$.a[?$.b == $.c]' }, '/event'),
    mapped({ event: '$.a[?length($.b) > 1]' }, '/event'),
    mapped({ event: '$.a[?@ == $.b]' }, '/event'),
    mapped({ event: '$.a[?@.b == @.c]' }, '/event'),
    mapped({ event: '$.a[?$.b == 1]' }, '/event'),
    mapped({ event: '$[?@[?@.a]]' }, '/event'),
    mapped({ event: 'a {$.} b' }, '/event'),
    mapped({ event: '{header:A}' }, '/event'),
    mapped({ event: 'header:' }, '/event'),
    mapped({ event: 'header:X Y' }, '/event'),
    mapped({ event: 'x'.repeat(301) }, '/event'),
    mapped({ event: '' }, '/event'),
    mapped({ event: [] }, '/event'),
    mapped({ event: 5 }, '/event'),
    mapped({ event: { a: '$' } }, '/event'),
    mapped({ type: 'screen' }, '/type'),
    mapped({ each: '$..*' }, '/each'),
    ...['authorization', 'cookie', 'stripe-signature', 'x-shopify-hmac-sha256', 'x-api-key', 'x-access-token'].map((
      name
    ) => mapped({ properties: { a: `header:${name}` } }, '/properties/a')),
    mapped({ properties: { 'a/b~c': '$[' } }, '/properties/a~1b~0c'),
    mapped({ properties: { a: 5 } }, '/properties/a'),
    mapped({ properties: { a: { b: '$' } } }, '/properties/a'),
    mapped({ traits: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`p${at}`, '$'])) }, '/traits'),
    mapped({ other: '$' }, ''),
    mapped('$', ''),
    mapped([], '')
  ]
  for (const [body, at] of cases) {
    const reply = await create(body)
    t.equal(reply.statusCode, 400, JSON.stringify(body).slice(0, 120))
    t.match(
      reply.json().error,
      { code: 'INVALID_REQUEST', details: [{ path: at ?? String, message: String }] },
      JSON.stringify(body).slice(0, 120)
    )
  }
  t.same((await owner.get(path)).json().data, [])
  const { id } = (await create(stripe)).json()
  for (
    const body of [{}, { provider: 'shopify' }, { secret: SECRET }, { custom }, { mapping: { event: '$[' } }, {
      url: 'x'
    }, { id }, { enabled: null }]
  ) {
    t.equal((await owner.send('PATCH', `${path}/${id}`, body)).statusCode, 400, JSON.stringify(body))
  }
})

t.test('a patch changes only the members that it contains, and a mapping is stored as it was sent', async (t) => {
  const { owner, path, create } = await withSource(t)
  const created = (await create({ provider: 'stripe', secret: SECRET, name: 'Payments' })).json()
  const mapping = {
    type: 'identify',
    each: null,
    userId: ['$.a', "$.b[?@.c == 'd'].e"],
    properties: { z: '$', a: 'text {$.id}' },
    traits: null
  }
  let expected = created
  for (
    const patch of [{ mapping }, { url: 'https://events.example.com/v1/webhook' }, { enabled: false }, {
      name: 'Other'
    }, { mapping: null }, { url: null }]
  ) {
    const reply = await owner.send('PATCH', `${path}/${created.id}`, patch)
    t.equal(reply.statusCode, 200)
    expected = { ...expected, ...patch, updated_at: reply.json().updated_at }
    t.same(reply.json(), expected)
  }
})

const OLD = 'shpss_0123456789abcdef0123456789abcdef'
const NEXT = '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'

t.test('a rotation replaces the secret of the provider, and the previous secret works until its overlap ' +
  'ends', async (t) => {
  const { admin, owner, path, create } = await withSource(t)
  const { id } = (await create({ provider: 'shopify', secret: OLD })).json()
  const secrets = async () => (await admin.store.webhooks.resolve(id))?.secrets.map(({ value }) => value.toString())
  const rotate = (body?: object) => owner.send('POST', `${path}/${id}/rotate-secret`, body)
  const reply = await rotate({ secret: NEXT, overlap_seconds: 60 })
  t.equal(reply.statusCode, 200)
  t.notOk('secret' in reply.json(), 'the caller sent the secret')
  t.equal(reply.json().secret_prefix, 'shpss_fedcba')
  t.same(await secrets(), [NEXT, OLD])
  admin.clock.now += 60_000
  t.same(await secrets(), [NEXT])
  for (
    const body of [undefined, {}, { overlap_seconds: 9 }, { secret: '' }, { secret: 'x', overlap_seconds: -1 }, {
      secret: 'x',
      other: 1
    }]
  ) {
    t.equal((await rotate(body)).statusCode, 400, JSON.stringify(body))
  }
  t.same(await secrets(), [NEXT])
})

t.test('a webhook of another organisation or of another source is 404 for every method', async (t) => {
  const { admin, owner, path, create } = await withSource(t)
  const stranger = await caller(admin, 'owner', 'org-b')
  const theirs = (await stranger.send('POST', '/sources', { name: 'theirs' })).json()
  const sibling = (await owner.send('POST', '/sources', { name: 'sibling' })).json()
  const created = (await create({ provider: 'stripe', secret: SECRET })).json()
  const tries = [
    [stranger, `${path}/${created.id}`],
    [stranger, `/sources/${theirs.id}/webhooks/${created.id}`],
    [owner, `/sources/${sibling.id}/webhooks/${created.id}`],
    [owner, `${path}/${generateWebhookId()}`],
    [owner, `${path}/x%00`],
    [owner, `/sources/nothing/webhooks/${created.id}`]
  ] as const
  for (const [who, at] of tries) {
    for (
      const reply of [
        await who.get(at),
        await who.send('PATCH', at, { name: 'x' }),
        await who.send('DELETE', at),
        await who.send('POST', `${at}/rotate-secret`, { secret: 'x' })
      ]
    ) t.same([reply.statusCode, reply.json().error.code], [404, 'NOT_FOUND'], at)
  }
  for (
    const reply of [await stranger.get(path), await stranger.send('POST', path, { provider: 'stripe', secret: SECRET }),
      await owner.get('/sources/nothing/webhooks')]
  ) {
    t.equal(reply.statusCode, 404)
  }
  t.same((await owner.get(`${path}/${created.id}`)).json(), created)
  t.same((await owner.get(`/sources/${sibling.id}/webhooks`)).json().data, [])
})

t.test('each change of a webhook is audited in its organisation, and no secret is audited or logged', async (t) => {
  const log = logReader()
  const { admin, owner, source, path, create } = await withSource(t, {
    server: { logger: { level: 'trace', stream: log.stream } }
  })
  const { id } = (await create({ provider: 'stripe', secret: SECRET })).json()
  await owner.send('PATCH', `${path}/${id}`, { enabled: false })
  await owner.send('POST', `${path}/${id}/rotate-secret`, { secret: `${SECRET}-2`, overlap_seconds: 5 })
  const made = (await create({ provider: 'standard' })).json()
  t.equal((await owner.send('DELETE', `${path}/${id}`)).statusCode, 204)
  await create({ provider: 'standard', secret: `${SECRET} is no base64` })
  const trail = (await admin.audited('webhook.deleted')).filter(({ resourceId }) => resourceId === id)
  t.match(trail, [
    { action: 'webhook.deleted', resourceType: 'webhook', changes: { source_id: source.id } },
    { action: 'webhook.secret_rotated', changes: { source_id: source.id, overlap_seconds: 5 } },
    { action: 'webhook.updated', changes: { source_id: source.id, enabled: { from: true, to: false } } },
    {
      action: 'webhook.created',
      userId: owner.userId,
      changes: { source_id: source.id, provider: 'stripe', name: 'Stripe' }
    }
  ])
  for (const secret of [SECRET, made.secret]) {
    for (const text of [log.text(), JSON.stringify((await owner.get('/audit-logs')).json())]) {
      t.notOk(text.includes(secret))
    }
  }
})

t.test('deleting a source deletes its webhooks', async (t) => {
  const { admin, owner, source, path, create } = await withSource(t)
  const { id } = (await create({ provider: 'stripe', secret: SECRET })).json()
  await owner.send('DELETE', `/sources/${source.id}`)
  t.equal(await admin.store.webhooks.resolve(id), null)
  t.equal((await owner.get(`${path}/${id}`)).statusCode, 404)
})

t.test('webhooks are listed in pages, newest first', async (t) => {
  const { owner, path, create } = await withSource(t)
  for (let at = 0; at < 5; at++) await create({ provider: 'stripe', secret: SECRET, name: `w${at}` })
  const first = (await owner.get(`${path}?limit=3`)).json()
  const second = (await owner.get(`${path}?limit=3&cursor=${first.next_cursor}`)).json()
  t.same([...first.data, ...second.data].map(({ name }: { name: string }) => name), ['w4', 'w3', 'w2', 'w1', 'w0'])
  t.same([first.has_more, second.has_more], [true, false])
  t.equal((await owner.get(`${path}?cursor=x`)).statusCode, 400)
})
