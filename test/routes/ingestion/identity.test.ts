import Fastify from 'fastify'
import t from 'tap'

import ingestion from '../../../routes/ingestion/index.js'
import { gateway } from '../../helpers/gateway.js'
import { SHOP } from '../../helpers/source.js'

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const COOKIE = new RegExp(`^_dfid=(${UUID}); Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax$`)
const page = { origin: SHOP }

t.test('a browser without the identity cookie gets the cookie, and its event contains the same id', async (t) => {
  const { post, stored } = await gateway(t)
  const response = await post('/v1/p', { name: 'Home' }, page)
  const id = COOKIE.exec(String(response.headers['set-cookie']))?.[1]
  t.ok(id, String(response.headers['set-cookie']))
  t.match(await stored(), [{ anonymousId: id }])
})

t.test('a browser with the cookie keeps its id, also among other cookies', async (t) => {
  const { post, stored } = await gateway(t)
  const id = 'a9b7ba70-783b-4c1d-9d3e-0b1c2d3e4f50'
  for (const cookie of [`_dfid=${id}`, `a=1; _dfid=${id}; b=2`, `x_dfid=nonsense; _dfid=${id}`, `a=1;_dfid=${id}`]) {
    const response = await post('/v1/p', { userId: 'u' }, { ...page, cookie })
    t.equal(response.headers['set-cookie'], undefined, cookie)
    t.equal((await stored()).at(-1)?.['anonymousId'], id, cookie)
  }
})

t.test('an invalid identity cookie is replaced', async (t) => {
  const { post, stored } = await gateway(t)
  for (
    const value of ['', 'x', '<script>', 'a9b7ba70-783b-1c1d-9d3e-0b1c2d3e4f50', 'A9B7BA70-783B-4C1D-9D3E-0B1C2D3E4F50',
      'a9b7ba70-783b-4c1d-9d3e-0b1c2d3e4f50x', '"; DROP']
  ) {
    const response = await post('/v1/p', {}, { ...page, cookie: `_dfid=${value}` })
    t.match(response.headers['set-cookie'], COOKIE, value)
    t.match((await stored()).at(-1), { anonymousId: new RegExp(`^${UUID}$`) })
  }
})

t.test('an event with its own anonymousId keeps it, and no cookie is set', async (t) => {
  const { post, stored } = await gateway(t)
  const response = await post('/v1/p', { anonymousId: 'own' }, page)
  t.equal(response.headers['set-cookie'], undefined)
  t.match(await stored(), [{ anonymousId: 'own' }])
})

t.test('all events of a batch without an id get the same id, with one cookie', async (t) => {
  const { post, stored } = await gateway(t)
  const response = await post('/v1/batch', {
    batch: [{ type: 'page' }, { type: 'page', anonymousId: 'own' }, { type: 'page', anonymousId: '' }]
  }, page)
  const id = COOKIE.exec(String(response.headers['set-cookie']))?.[1]
  t.same((await stored()).map(({ anonymousId }) => anonymousId), [id, 'own', id])
})

t.test('an event of a server with a userId gets no anonymousId, and an event without a user gets an ' +
  'anonymousId', async (t) => {
  const { post, signed, stored } = await gateway(t)
  for (const send of [post, signed]) {
    t.equal((await send('/v1/t', { event: 'e', userId: 'u' })).headers['set-cookie'], undefined)
  }
  t.equal((await signed('/v1/t', { event: 'e', userId: 'u' }, page)).headers['set-cookie'], undefined)
  t.match((await post('/v1/t', { event: 'e' })).headers['set-cookie'], COOKIE)
  t.same((await stored()).map(({ anonymousId }) => typeof anonymousId), ['undefined', 'undefined', 'undefined',
    'string'])
})

t.test('the cookie is Secure on HTTPS and has the configured domain, and identityCookie: false turns it ' +
  'off', async (t) => {
  const secure = await gateway(t, {
    server: { trustProxy: true },
    ingestion: { identityCookie: { domain: 'example.com' } }
  })
  const response = await secure.post('/v1/p', {}, { ...page, 'x-forwarded-proto': 'https' })
  for (const attribute of ['Domain=example.com', 'HttpOnly', 'SameSite=Lax', 'Secure']) {
    t.ok(String(response.headers['set-cookie']).split('; ').includes(attribute), attribute)
  }
  const off = await gateway(t, { ingestion: { identityCookie: false } })
  t.equal(
    (await off.post('/v1/p', {}, { ...page, cookie: '_dfid=a9b7ba70-783b-4c1d-9d3e-0b1c2d3e4f50' }))
      .headers['set-cookie'],
    undefined
  )
  t.equal((await off.stored())[0]?.['anonymousId'], undefined)
})

t.test('a refused event sets no cookie', async (t) => {
  const { post } = await gateway(t)
  for (const body of [{ name: 1 }, { timestamp: 'x' }, { messageId: '' }]) {
    t.equal((await post('/v1/p', body, page)).headers['set-cookie'], undefined)
  }
  t.equal((await post('/v1/p', {}, { origin: 'https://evil.test' })).headers['set-cookie'], undefined)
})

t.test('an invalid domain stops the start', async (t) => {
  for (
    const domain of ['', 'exa mple.com', 'example.com; Secure', '.example.com', 'example.com\r\n',
      'https://example.com']
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(ingestion, { identityCookie: { domain } }).ready(), {
      code: 'INVALID_OPTIONS'
    })
  }
})
