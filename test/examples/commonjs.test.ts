import t from 'tap'

import { generateSecret } from '../../signing/index.js'
import { startError, startExample } from '../helpers/example.js'

const [CURRENT, PREVIOUS] = [generateSecret(), generateSecret()]

t.test('a CommonJS app loads the package by require(), and its guards act', async (t) => {
  const { origin } = await startExample(t, 'commonjs', { API_KEYS: `${CURRENT},${PREVIOUS}`, REQUESTS_PER_MINUTE: '2' })
  const ask = async (path: string, key?: string) => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const response = await fetch(origin + path, { headers })
    return { status: response.status, body: await response.json() as object }
  }
  t.same(await ask('/healthz'), { status: 200, body: { ok: true } })
  const refused = { status: 401, body: { error: { code: 'UNAUTHORIZED' } } }
  t.match(await ask('/report'), refused)
  t.match(await ask('/report', generateSecret()), refused)
  t.match(await ask('/no-such-route'), refused)
  t.match(await ask('/report', CURRENT), { status: 200, body: { rows: [{ product: 'Apples' }], key: /^[0-9a-f]{8}$/ } })
  t.match(await ask('/no-such-route', CURRENT), { status: 404, body: { error: { code: 'NOT_FOUND' } } })
  t.match(await ask('/report', CURRENT), { status: 429, body: { error: { code: 'RATE_LIMITED' } } })
  t.match(await ask('/report', PREVIOUS), { status: 200 }, 'the previous key is valid, and counts apart')
})

t.test('the example does not start without a key, and the message names the option', async (t) => {
  t.match(await startError(t, 'commonjs', { API_KEYS: '' }), '"keys')
})
