import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import captcha from '../../../plugins/captcha/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { PRODUCT_SECRET, SITE, siteverifyServer } from '../../helpers/siteverify.js'

const FIELD = 'cf-turnstile-response'
const schema = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['email'],
    properties: { email: { type: 'string', minLength: 5 } }
  }
}

async function signup (t: Test, field?: string) {
  const siteverify = await siteverifyServer(t, 'turnstile')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(captcha, {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url,
    ...field === undefined ? {} : { field }
  })
  // Fastify's own validator removes the token from the body, as the schema has no such property.
  app.post('/signup', { schema, config: { gatehouse: { captcha: true } } }, async ({ body }) => body)
  const post = (payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/signup', payload, headers })
  return { siteverify, post }
}

t.test('a token in the body is not used up if the body fails its schema', async (t) => {
  const { siteverify, post } = await signup(t, FIELD)
  const token = siteverify.issue('one')
  t.equal((await post({ email: 'x', [FIELD]: token })).statusCode, 400)
  t.equal(siteverify.calls.length, 0)
  const good = await post({ email: 'x@example.com', [FIELD]: token })
  t.equal(good.statusCode, 200)
  t.same(good.json(), { email: 'x@example.com' })
  t.equal((await post({ email: 'x@example.com', [FIELD]: token })).statusCode, 403, 'the token passes only once')
})

t.test('with "field" a token in the header is not used up if the body fails its schema', async (t) => {
  const { siteverify, post } = await signup(t, FIELD)
  const headers = { 'x-captcha-token': siteverify.issue('one') }
  t.equal((await post({ email: 'x' }, headers)).statusCode, 400)
  t.equal((await post({ email: 'x@example.com' }, headers)).statusCode, 200)
})

t.test('with "field" a request without a token is refused before its body is validated', async (t) => {
  const { post } = await signup(t, FIELD)
  t.equal((await post({ email: 'x' })).statusCode, 403)
})

t.test('without "field" a token is checked before the body is read, and is used up even if the ' +
  'body is invalid', async (t) => {
  const { siteverify, post } = await signup(t)
  const headers = { 'x-captcha-token': siteverify.issue('one') }
  t.equal((await post({ email: 'x' }, headers)).statusCode, 400)
  t.equal((await post({ email: 'x@example.com' }, headers)).statusCode, 403)
  t.equal((await post({ email: 'x' })).statusCode, 403)
})
