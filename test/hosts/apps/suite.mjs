// Part of each host app: the plugins of the suite with one key, one source and one administrator, and the requests that
// every host must answer with the same statuses.
import { randomBytes } from 'node:crypto'

import {
  adminAuth, adminGuard, createPasswords, eventSink, generatePipelineKey, ingestion, memorySink, proxyKey, tokenStore,
  widgetToken
} from 'fastify-gatehouse'
import { memoryStore, SOURCE_DEFAULTS } from 'fastify-gatehouse/token-store'

const KEY = randomBytes(32).toString('base64url')
const PIPELINE_KEY = generatePipelineKey('live')
const JSON_TYPE = { 'content-type': 'application/json' }
const LOGIN = { email: 'owner@example.com', password: 'a quite unguessable one' }

/** The requirement of the `proxyKey` guard, for `config` of a route. */
export const guarded = { gatehouse: { proxyKey: true } }
export const bearer = { authorization: `Bearer ${KEY}` }

/** The plugins of the suite with their options, in the order in which they are registered. */
export const suite = {
  tokenStore: [tokenStore, { store: memoryStore() }],
  eventSink: [eventSink, { sink: memorySink() }],
  proxyKey: [proxyKey, { keys: [KEY] }],
  adminGuard: [adminGuard, { jwtSecrets: [randomBytes(32).toString('base64url')] }],
  ingestion: [ingestion, {}],
  widgetToken: [widgetToken, { secret: 'secret', issuer: 'issuer', session: 'session', authorize: () => 'ann' }],
  adminAuth: [adminAuth, {}]
}

/** Registers the suite without waiting for it, as a host does that awaits only `ready()`. */
export function registerSuite (app) {
  for (const [plugin, options] of Object.values(suite)) app.register(plugin, options)
}

/** Registers the suite after the plugin of the host, or before it. */
export function registerBeside (app, order, registerOther) {
  if (order === 'after') registerSuite(app)
  registerOther(app)
  if (order === 'before') registerSuite(app)
}

/** Declares the guarded route that `statuses` asks for. */
export function guardedRoute (app) {
  app.get('/guarded', { config: guarded }, async () => ({ guarded: true }))
}

/** `app.inject` in the form that `statuses` takes. */
export function injected (app) {
  return async (url, { method = 'GET', headers = {}, payload } = {}) => {
    const response = await app.inject({ url, method, headers, payload })
    return { status: response.statusCode, headers: response.headers, body: response.body }
  }
}

/**
 * Asks each of the suite's routes of a ready app and returns the statuses.
 *
 * `ask` takes a path and `{ method, headers, payload }` and returns `{ status, body }`. `paths` are the paths of a host
 * with prefixes.
 */
export async function statuses (app, ask = injected(app), paths = {}) {
  const { guarded = '/guarded', widget = '/api/generate-token', track = '/v1/t', admin = '/v1/admin/auth' } = paths
  const store = app.tokenStore
  await store.sources.create({
    ...SOURCE_DEFAULTS,
    orgId: 'default',
    name: 'Shop',
    pipelineKey: PIPELINE_KEY,
    serverSecret: randomBytes(32).toString('hex')
  })
  const passwordHash = await (await createPasswords()).hash(LOGIN.password)
  await store.users.create({ orgId: 'default', email: LOGIN.email, passwordHash, role: 'owner' })

  const post = (url, payload, headers = {}) =>
    ask(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, payload })
  const event = (payload) => post(track, payload, { authorization: `Bearer ${PIPELINE_KEY}` })
  const login = await post(`${admin}/login`, JSON.stringify(LOGIN))
  const me = { authorization: `Bearer ${JSON.parse(login.body).access_token}` }
  return {
    guarded: [await ask(guarded), await ask(guarded, { headers: bearer })].map(({ status }) => status),
    widget: (await ask(widget)).status,
    event: (await event('{"type":"track","event":"Signed Up","userId":"ann"}')).status,
    broken: (await event('{"type":')).status,
    invalid: (await event('{"type":"track"}')).status,
    login: login.status,
    wrongPassword: (await post(`${admin}/login`, JSON.stringify({ ...LOGIN, password: 'another one' }))).status,
    me: (await ask(`${admin}/me`, { headers: me })).status
  }
}
