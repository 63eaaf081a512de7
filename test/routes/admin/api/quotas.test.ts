import t from 'tap'

import type { QuotaOptions } from '../../../../routes/admin/api/quotas.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const WEBHOOK = { provider: 'stripe', secret: 'whsec_what-the-provider-gave-0123456789' }

t.test('a source above the quota is 409 until another source is deleted', async (t) => {
  const admin = await adminApp(t, { api: { quotas: { sources: 2 } } })
  const [owner, other] = [await caller(admin), await caller(admin, 'owner', 'other')]
  const replies = await Promise.all(Array.from({ length: 5 }, () => owner.send('POST', '/sources', { name: 'Shop' })))
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [201, 201, 409, 409, 409])
  t.same(replies.find(({ statusCode }) => statusCode === 409)?.json(), {
    error: { code: 'CONFLICT', message: 'The organisation may have no more sources (at most 2)' }
  })
  t.equal(
    (await other.send('POST', '/sources', { name: 'Shop' })).statusCode,
    201,
    'another organisation is not affected'
  )
  const [{ id }] = (await owner.get('/sources')).json().data
  await owner.send('DELETE', `/sources/${id}`)
  t.equal((await owner.send('POST', '/sources', { name: 'Shop' })).statusCode, 201)
})

t.test('a lower or higher limit of sources of the organisation replaces the quota', async (t) => {
  const admin = await adminApp(t, { api: { quotas: { sources: 2 } } })
  const owner = await caller(admin)
  const create = async () => (await owner.send('POST', '/sources', { name: 'Shop' })).statusCode
  await admin.store.organisations.update('default', { maxSources: 1 })
  t.same([await create(), await create()], [201, 409])
  await admin.store.organisations.update('default', { maxSources: 3 })
  t.same([await create(), await create(), await create()], [201, 201, 409])
  await admin.store.organisations.update('default', { maxSources: null })
  t.equal(await create(), 409)
  const [{ id }, other] = (await owner.get('/sources')).json().data
  for (const source of [id, other.id]) await owner.send('DELETE', `/sources/${source}`)
  t.same([await create(), await create()], [201, 409])
})

t.test('a webhook above the quota is 409, also under another source of the organisation', async (t) => {
  const owner = await caller(await adminApp(t, { api: { quotas: { webhooks: 1 } } }))
  const [one, two] = [(await owner.send('POST', '/sources', { name: 'One' })).json(),
    (await owner.send('POST', '/sources', { name: 'Two' })).json()]
  t.equal((await owner.send('POST', `/sources/${one.id}/webhooks`, WEBHOOK)).statusCode, 201)
  const refused = await owner.send('POST', `/sources/${two.id}/webhooks`, WEBHOOK)
  t.equal(refused.statusCode, 409)
  t.same(refused.json(), {
    error: { code: 'CONFLICT', message: 'The organisation may have no more webhooks (at most 1)' }
  })
})

t.test('the default quotas are 500 sources and 100 webhooks', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/sources', { name: 'First' })).json()
  const source = await admin.store.sources.get('default', id)
  if (source === null) throw new Error('the source is gone')
  for (let at = 1; at < 499; at++) {
    const pipelineKey = `dk_live_${String(at).padStart(32, '0')}`
    await admin.store.sources.create({ ...source, pipelineKey, serverSecret: 'p0o9i8u7y6t5r4e3w2q1m2n3b4v5c6x7' })
  }
  const webhook = {
    name: 'Payments',
    url: null,
    custom: null,
    mapping: null,
    enabled: true,
    ...WEBHOOK,
    provider: 'stripe' as const
  }
  for (let at = 0; at < 99; at++) await admin.store.webhooks.create('default', id, webhook)
  for (const [path, body] of [['/sources', { name: 'Last' }], [`/sources/${id}/webhooks`, WEBHOOK]] as const) {
    t.equal((await owner.send('POST', path, body)).statusCode, 201)
    t.equal((await owner.send('POST', path, body)).statusCode, 409)
  }
})

t.test('an invalid quota stops the start', async (t) => {
  for (
    const [quotas, message] of [
      [{ sources: 0 }, /"quotas.sources" must be a whole number, 1 or more/],
      [{ webhooks: 1.5 }, /"quotas.webhooks" must be a whole number/],
      [{ webhooks: Infinity }, /"quotas.webhooks" must be a whole number/],
      [{ sources: '5' }, /"quotas.sources" must be a whole number/],
      [{ source: 5 }, /unknown option "quotas.source"; did you mean "quotas.sources"/],
      [null, /"quotas" must be an object/],
      [false, /"quotas" must be an object/]
    ] as const
  ) {
    await t.rejects(adminApp(t, { api: { quotas: quotas as unknown as QuotaOptions } }), {
      code: 'INVALID_OPTIONS',
      message
    })
  }
})
