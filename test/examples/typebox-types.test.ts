import t from 'tap'
import type { Test } from 'tap'

import { generateSecret, generateServerSecret, signUserReference } from '../../signing/index.js'
import { exampleApp, startError, startExample } from '../helpers/example.js'
import { gateway } from '../helpers/gateway.js'

const USER_REFERENCE_KEY = generateSecret()

/** The example in front of a real event gateway. */
async function start (t: Test, env: Record<string, string> = {}) {
  const events = await gateway(t)
  const settings = {
    GATEWAY_URL: await events.app.listen({ host: '127.0.0.1', port: 0 }),
    PIPELINE_KEY: events.key,
    SERVER_SECRET: events.secret,
    USER_REFERENCE_KEY,
    ...env
  }
  const app = await exampleApp(t, 'typebox-types', settings)
  const reference = (key: string) => signUserReference({ sub: 'ann' }, { key, audience: 'gatehouse-embed' })
  const post = (payload: object, key: string | null = USER_REFERENCE_KEY) => app.inject({
    method: 'POST', url: '/events', payload, headers: key === null ? {} : { 'x-user-reference': reference(key) }
  })
  return { events, post, settings }
}

const EVENT = { type: 'track', event: 'Report Exported', properties: { format: 'pdf' } }

t.test('an event of a page is stored signed, for the user of the reference', async (t) => {
  const { events, post } = await start(t)
  const response = await post({ ...EVENT, userId: 'mallory' })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { success: true, userId: 'ann' })
  t.match(await events.stored(), [{ ...EVENT, userId: 'ann', authMethod: 'signature' }])
})

t.test('an event that the schema does not allow is refused before it is sent', async (t) => {
  const { events, post } = await start(t)
  for (const payload of [{ ...EVENT, type: 'purchase' }, { event: 'No type' }, { ...EVENT, properties: 'none' }]) {
    const response = await post(payload)
    t.strictSame([response.statusCode, response.json().error.code], [400, 'INVALID_REQUEST'], JSON.stringify(payload))
  }
  t.same(await events.stored(), [])
})

t.test('no user reference, and one of another key, are refused', async (t) => {
  const { post } = await start(t)
  for (const key of [null, generateSecret()]) {
    const response = await post(EVENT, key)
    t.strictSame([response.statusCode, response.json().error.code], [401, 'UNAUTHORIZED'])
  }
})

t.test('an event that the gateway refuses is an upstream error', async (t) => {
  const { events, post } = await start(t, { SERVER_SECRET: generateServerSecret() })
  const response = await post(EVENT)
  t.strictSame([response.statusCode, response.json().error.code], [502, 'UPSTREAM_ERROR'])
  t.same(await events.stored(), [])
})

t.test('the example starts with its environment, and does not start without a key', async (t) => {
  const { settings } = await start(t)
  const { origin } = await startExample(t, 'typebox-types', settings)
  t.equal((await fetch(`${origin}/events`, { method: 'POST' })).status, 401)
  t.match(await startError(t, 'typebox-types', { ...settings, USER_REFERENCE_KEY: '' }), '"keys')
})
