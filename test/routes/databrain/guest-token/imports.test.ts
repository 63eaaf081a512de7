import t from 'tap'

import { packagesLoadedBy } from '../../../helpers/loaded-modules.js'

const GUEST_TOKEN = new URL('../../../../routes/databrain/guest-token/index.ts', import.meta.url).href
const SECRET = 'k7Qd-2mVx9_pLw4ZtR8yBn3H-s5Jc6Tf'
const OPTIONS = { apiKey: SECRET, dataAppName: 'sales', proxyKeys: [SECRET], userReferenceKeys: [SECRET] }

t.test('guestToken loads the HTTP client at the first call of DataBrain', async (t) => {
  const loaded = await packagesLoadedBy(`
    const { default: fastify } = await import(${JSON.stringify(import.meta.resolve('fastify'))})
    const { default: guestToken } = await import(${JSON.stringify(GUEST_TOKEN)})
    const app = fastify()
    await app.register(guestToken, ${JSON.stringify(OPTIONS)})
    await app.ready()
    await app.close()`)
  t.ok(loaded.has('@fastify/rate-limit'), 'the route is registered')
  t.notOk(loaded.has('undici'))
})
