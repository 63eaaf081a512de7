import t from 'tap'

import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { logReader } from '../../../helpers/log-reader.js'

const KEY = `dk_live_${'Ab3'.repeat(10)}xy`

t.test('a source is created with a key of its environment and a secret that only this response shows', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const reply = await owner.send('POST', '/sources', { name: 'Shop' })
  t.equal(reply.statusCode, 201)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { id, pipeline_key, server_secret, server_secret_prefix, created_at, updated_at, ...settings } = reply.json()
  t.match(pipeline_key, /^dk_live_[0-9A-Za-z]{32}$/)
  t.match(server_secret, /^[A-Za-z0-9_-]{43}$/)
  t.ok(server_secret.startsWith(server_secret_prefix))
  t.equal(created_at, updated_at)
  t.same(settings, {
    name: 'Shop',
    environment: 'live',
    domains: [],
    allow_any_origin: false,
    allow_null_origin: false,
    require_signature: 'never',
    require_timestamp: false,
    enabled: true,
    rate_limit: null,
    pixel_types: ['track', 'page'],
    bots: 'tag',
    signed_repeats: 'keep',
    keep_refused: false,
    daily_quota: null,
    monthly_quota: null
  })
  const resolved = await admin.store.sources.resolve(pipeline_key)
  t.equal(resolved?.secrets[0]?.value.toString(), server_secret)
  t.equal(resolved?.source.id, id)

  const again = [await owner.get(`/sources/${id}`), await owner.get('/sources'),
    await owner.send('PATCH', `/sources/${id}`, { name: 'Shop 2' })]
  for (const { statusCode, body } of again) {
    t.equal(statusCode, 200)
    t.notOk(body.includes(server_secret))
    t.notMatch(body, /"server_secret"/)
    t.match(body, new RegExp(`"server_secret_prefix":"${server_secret_prefix}"`))
  }
})

t.test('a source accepts a key and a secret from another system', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const full = {
    name: 'Moved',
    environment: 'live',
    domains: ['shop.example.com', '*.example.org', 'http://localhost:3000'],
    allow_any_origin: false,
    allow_null_origin: true,
    require_signature: 'always',
    require_timestamp: true,
    enabled: false,
    rate_limit: 50,
    pixel_types: ['identify'],
    bots: 'drop',
    signed_repeats: 'drop',
    keep_refused: true,
    daily_quota: 1000,
    monthly_quota: 20_000,
    pipeline_key: KEY,
    server_secret: 'hex:00ff00ff00ff00ff10ff10ff10ff10ff'
  }
  const reply = await owner.send('POST', '/sources', full)
  t.equal(reply.statusCode, 201)
  t.match(reply.json(), full)
  t.same(
    (await admin.store.sources.resolve(KEY))?.secrets[0]?.value,
    Buffer.from('00ff00ff00ff00ff10ff10ff10ff10ff', 'hex')
  )
  const taken = await owner.send('POST', '/sources', { name: 'Again', pipeline_key: KEY })
  t.equal(taken.statusCode, 409)
  t.equal(taken.json().error.code, 'CONFLICT')
  const test = await owner.send('POST', '/sources', { name: 'Test', pipeline_key: KEY.replace('live', 'test') })
  t.equal(test.json().environment, 'test', 'the environment follows from the key')
})

t.test('a source accepts a weak secret if the app allows weak secrets', async (t) => {
  const admin = await adminApp(t, { api: { allowWeakSecret: true } })
  const owner = await caller(admin)
  for (const server_secret of ['a', 'your_server_secret']) {
    const { pipeline_key } = (await owner.send('POST', '/sources', { name: 'Moved', server_secret })).json()
    t.equal((await admin.store.sources.resolve(pipeline_key))?.secrets[0]?.value.toString(), server_secret)
  }
  await t.rejects(adminApp(t, { api: { allowWeakSecret: 'yes' as unknown as boolean } }), {
    code: 'INVALID_OPTIONS',
    message: /"allowWeakSecret" must be true or false/
  })
})

t.test('a key in the form of another system is stored unchanged', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  for (
    const [key, environment] of [['dk_live_abc123', 'live'], ['dk_test_xyz-789_', 'test'], [
      `dk_live_${'x'.repeat(128)}`,
      'live'
    ]] as const
  ) {
    const reply = await owner.send('POST', '/sources', { name: 'Moved', pipeline_key: key })
    t.equal(reply.statusCode, 201, key)
    t.match(reply.json(), { pipeline_key: key, environment })
    t.equal((await owner.get(`/sources/${reply.json().id}`)).json().pipeline_key, key)
    t.equal((await admin.store.sources.resolve(key))?.source.id, reply.json().id)
  }
})

t.test('a new source with an invalid or unknown member is 400', async (t) => {
  const owner = await caller(await adminApp(t))
  const cases: Array<[string, object, string?]> = [
    ['no name', {}],
    ['an empty name', { name: '' }],
    ['a name of 201', { name: 'x'.repeat(201) }],
    ['a line break in the name', { name: 'a\nb' }],
    ['a NUL in the name', { name: 'a\u0000b' }],
    ['half a surrogate in the name', { name: 'a\ud800' }],
    ['a number for the name', { name: 1 }],
    ['an id', { name: 'x', id: 'mine' }],
    ['an organisation', { name: 'x', org_id: 'other' }],
    ['orgId', { name: 'x', orgId: 'other' }],
    ['another environment', { name: 'x', environment: 'staging' }],
    ['a string for enabled', { name: 'x', enabled: 'true' }],
    ['a string for domains', { name: 'x', domains: 'shop.example.com' }],
    ['101 domains', { name: 'x', domains: Array.from({ length: 101 }, (_, i) => `d${i}.example.com`) }],
    ['a rate of 0', { name: 'x', rate_limit: 0 }],
    ['a fractional rate', { name: 'x', rate_limit: 1.5 }],
    ['a string for the rate', { name: 'x', rate_limit: '5' }],
    ['an unknown pixel type', { name: 'x', pixel_types: ['track', 'screen'] }],
    ['a string for the null origin', { name: 'x', allow_null_origin: 'true' }],
    ['an unknown value for signed repeats', { name: 'x', signed_repeats: 'refuse' }],
    ['a string for keeping refused events', { name: 'x', keep_refused: 'true' }],
    ['a quota of 0', { name: 'x', daily_quota: 0 }],
    ['a string for a quota', { name: 'x', monthly_quota: '10' }],
    ['an unknown value for bots', { name: 'x', bots: 'block' }],
    ['a pixel type twice', { name: 'x', pixel_types: ['track', 'track'] }],
    ['an unknown signature rule', { name: 'x', require_signature: 'sometimes' }],
    ['a key of another form', { name: 'x', pipeline_key: 'my-key' }, '/pipeline_key'],
    ['a key that is too short', { name: 'x', pipeline_key: 'dk_live_abc12' }, '/pipeline_key'],
    ['a key that is too long', { name: 'x', pipeline_key: `dk_live_${'x'.repeat(129)}` }, '/pipeline_key'],
    ['a key with another character', { name: 'x', pipeline_key: 'dk_live_abc.123' }, '/pipeline_key'],
    ['a key of the other environment', { name: 'x', environment: 'test', pipeline_key: KEY }, '/pipeline_key'],
    ['bad hex', { name: 'x', server_secret: 'hex:zz' }, '/server_secret'],
    ['bad base64', { name: 'x', server_secret: 'base64:***' }, '/server_secret'],
    ['an empty secret', { name: 'x', server_secret: '' }],
    ['a secret of a letter', { name: 'x', server_secret: 'a' }, '/server_secret'],
    ['a secret of 15 bytes', { name: 'x', server_secret: 'hex:00ff00ff00ff00ff10ff10ff10ff10' }, '/server_secret'],
    ['a known secret', { name: 'x', server_secret: 'your-256-bit-secret' }, '/server_secret'],
    ...['null', '*', '*.com', 'https://shop.example.com/path', 'https://a@b.example.com', 'shop.example.com:99999',
      'javascript://x', 'exa mple.com', 'https://*', '.example.com', 'example..com', 'shop.example.com, evil.test',
      'https://shop.example.com?x', '*.*.example.com', 'file:///etc/passwd'].map((
      domain
    ): [string, object, string] => [`the domain ${domain}`, { name: 'x', domains: ['ok.example.com', domain] },
      '/domains/1']
    )
  ]
  for (const [name, body, path] of cases) {
    const reply = await owner.send('POST', '/sources', body)
    t.equal(reply.statusCode, 400, name)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: path ?? String, message: String }] }, name)
  }
  t.same((await owner.get('/sources')).json().data, [], 'nothing was created')
})

t.test('a patch changes only the members that it contains, and an invalid or read-only member is ' +
  'refused', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const created = (await owner.send('POST', '/sources', { name: 'Shop', domains: ['shop.example.com'] })).json()
  const path = `/sources/${created.id}`
  for (
    const body of [
      {},
      { id: 'x' },
      { org_id: 'x' },
      { pipeline_key: KEY },
      { server_secret: 'x' },
      { created_at: '2020-01-01' },
      { name: null },
      { enabled: 1 },
      { domains: ['*'] },
      [],
      'x'
    ]
  ) {
    const reply = await owner.send('PATCH', path, body)
    t.ok([400, 415].includes(reply.statusCode), JSON.stringify(body))
  }
  const { server_secret: _secret, updated_at: _then, ...before } = created
  const { updated_at: _now, ...after } = (await owner.get(path)).json()
  t.same(after, before)
  const patch = {
    name: 'Shop 2',
    domains: ['*.example.com'],
    allow_any_origin: true,
    allow_null_origin: true,
    require_signature: 'without_origin',
    require_timestamp: true,
    rate_limit: 10,
    pixel_types: [],
    bots: 'ignore',
    signed_repeats: 'drop',
    keep_refused: true,
    daily_quota: 10,
    monthly_quota: 100
  }
  t.match((await owner.send('PATCH', path, patch)).json(), { ...before, ...patch })
  t.match((await owner.send('PATCH', path, { rate_limit: null })).json(), { ...before, ...patch, rate_limit: null })
  t.equal((await owner.send('PATCH', path, { enabled: false })).json().enabled, false)
  const [last] = (await admin.audited('source.updated', 'default', 3)).filter(({ action }) =>
    action === 'source.updated'
  )
  t.match(last, {
    userId: owner.userId,
    resourceType: 'source',
    resourceId: created.id,
    changes: { enabled: { from: true, to: false } }
  })
})

t.test('a source that changes its environment gets a new key, and the old key stops working', async (t) => {
  const log = logReader()
  const admin = await adminApp(t, { server: { logger: { level: 'trace', stream: log.stream } } })
  const owner = await caller(admin)
  const { id, pipeline_key } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const patched = (await owner.send('PATCH', `/sources/${id}`, { environment: 'test' })).json()
  t.equal(patched.environment, 'test')
  t.match(patched.pipeline_key, /^dk_test_/)
  t.equal(await admin.store.sources.resolve(pipeline_key), null)
  t.equal((await admin.store.sources.resolve(patched.pipeline_key))?.source.environment, 'test')
  t.equal(
    (await owner.send('PATCH', `/sources/${id}`, { environment: 'test' })).json().pipeline_key,
    patched.pipeline_key,
    'an unchanged environment keeps the key'
  )
  const trail = await admin.audited('source.updated', 'default', 2)
  t.equal(
    trail.filter(({ action, resourceId }) => action === 'source.key_rotated' && resourceId === id).length,
    1,
    'the end of the old key is audited'
  )
  t.match(trail.find(({ action, changes }) => action === 'source.updated' && changes?.['environment'])?.changes, {
    environment: { from: 'live', to: 'test' }
  })
  for (const key of [pipeline_key, patched.pipeline_key]) {
    t.notMatch(JSON.stringify(trail) + log.text(), key, 'no key is logged or audited')
  }
})

t.test('after a rotation the old key stops immediately, or after its overlap', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id, pipeline_key } = (await owner.send('POST', '/sources', { name: 'Shop', environment: 'test' })).json()
  const second = (await owner.send('POST', `/sources/${id}/rotate-key`)).json()
  t.match(second.pipeline_key, /^dk_test_[0-9A-Za-z]{32}$/)
  t.notOk('server_secret' in second)
  const lives = async (key: string) => (await admin.store.sources.resolve(key))?.source.id === id
  t.same([await lives(pipeline_key), await lives(second.pipeline_key)], [false, true])
  const third = (await owner.send('POST', `/sources/${id}/rotate-key`, { overlap_seconds: 60 })).json()
  t.same([await lives(second.pipeline_key), await lives(third.pipeline_key)], [true, true])
  admin.clock.now += 60_000
  t.same([await lives(second.pipeline_key), await lives(third.pipeline_key)], [false, true])
})

t.test('a rotated secret is shown once, and the previous secret works until its overlap ends', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id, pipeline_key, server_secret } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const reply = (await owner.send('POST', `/sources/${id}/rotate-secret`, { overlap_seconds: 60 })).json()
  const secrets = async () =>
    (await admin.store.sources.resolve(pipeline_key))?.secrets.map(({ value }) => value.toString())
  t.same(await secrets(), [reply.server_secret, server_secret])
  t.equal(reply.pipeline_key, pipeline_key)
  admin.clock.now += 60_000
  t.same(await secrets(), [reply.server_secret])
  t.notOk((await owner.get(`/sources/${id}`)).body.includes(reply.server_secret))
  const now = (await owner.send('POST', `/sources/${id}/rotate-secret`)).json()
  t.same(await secrets(), [now.server_secret])
})

t.test('an invalid overlap is 400, and an empty body of media type application/json is accepted', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  for (const what of ['rotate-key', 'rotate-secret']) {
    for (
      const body of [{ overlap_seconds: -1 }, { overlap_seconds: 604_801 }, { overlap_seconds: '60' }, {
        overlap_seconds: 1.5
      }, { overlap: 60 }, []]
    ) {
      const reply = await owner.send('POST', `/sources/${id}/${what}`, body)
      t.equal(reply.statusCode, 400, `${what} ${JSON.stringify(body)}`)
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
    const headers = { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' }
    t.equal(
      (await admin.app.inject({ method: 'POST', url: `/v1/admin/sources/${id}/${what}`, headers })).statusCode,
      200
    )
  }
})

t.test('a deleted source is 404, and its key does not resolve', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id, pipeline_key } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const reply = await owner.send('DELETE', `/sources/${id}`)
  t.equal(reply.statusCode, 204)
  t.equal(reply.body, '')
  t.equal(await admin.store.sources.resolve(pipeline_key), null)
  for (
    const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/rotate-key'], ['POST', '/rotate-secret']] as const
  ) {
    t.equal((await owner.send(method, `/sources/${id}${path}`)).statusCode, 404)
  }
  t.equal((await owner.send('PATCH', `/sources/${id}`, { name: 'x' })).statusCode, 404)
})

t.test('sources are listed in pages, newest first, and invalid paging parameters are 400', async (t) => {
  const owner = await caller(await adminApp(t))
  for (let i = 0; i < 7; i++) await owner.send('POST', '/sources', { name: `s${i}` })
  const names: string[] = []
  let next = ''
  do {
    const { data, next_cursor, has_more } = (await owner.get(`/sources?limit=3${next}`)).json()
    names.push(...data.map(({ name }: { name: string }) => name))
    t.equal(has_more, next_cursor !== null)
    next = next_cursor === null ? '' : `&cursor=${next_cursor}`
  } while (next !== '')
  t.same(names, ['s6', 's5', 's4', 's3', 's2', 's1', 's0'])
  for (
    const query of ['limit=0', 'limit=101', 'limit=x', 'limit=', 'limit=1.5', 'limit=1&limit=2', 'cursor=x', 'cursor=',
      'offset=1', `cursor=${'x'.repeat(600)}`]
  ) {
    const reply = await owner.get(`/sources?${query}`)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', query)
  }
})
