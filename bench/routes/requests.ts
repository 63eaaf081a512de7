// The requests of the bench, created for one server and one round.
import { randomUUID } from 'node:crypto'

import { signBody } from '../../signing/datafly/body-signature.js'
import { EVENT, batchBody, newBatches } from '../load.js'
import type { Shot, SignedBody } from '../wrk.js'
import type { Target } from './fleet.js'
import { EMBED_SITE } from './names.js'

export type Request = Pick<Shot, 'headers' | 'body' | 'lua'> & {
  path: string
  /** The body of one request, if `lua` creates the bodies. */
  sample?: string
}
/** `seconds` bounds how many different bodies are created. */
export type CreateRequest = (target: Target, seconds: number, connections: number) => Request | Promise<Request>

const EVENTS = 100
/** Number of different bodies per second, created in advance; more than are sent. */
const SIGNED_BODIES = 1_200
const EMBED_BODIES = 60_000
const JSON_TYPE = { 'content-type': 'application/json' }

const keyed = (key: string) => ({ authorization: `Bearer ${key}`, ...JSON_TYPE })

export const get = (path: string): CreateRequest => () => ({ path, headers: {} })
export const post = (path: string, body: string): CreateRequest => () => ({ path, headers: JSON_TYPE, body })

/** The same request to another path, so that two servers read as much. */
export const sentTo = (path: string, create: CreateRequest): CreateRequest => async (target, seconds, connections) => {
  const request = await create(target, seconds, connections)
  const [, query] = request.path.split('?', 2)
  return { ...request, path: query === undefined ? path : `${path}?${query}` }
}

export const event: CreateRequest = ({ pipelineKey }) => ({ path: '/v1/t', headers: keyed(pipelineKey), body: EVENT })

/** Batches whose events all have different ids. */
export const batch: CreateRequest = ({ pipelineKey }) => ({
  path: '/v1/batch',
  headers: keyed(pipelineKey),
  lua: newBatches(EVENTS)
})

export const signedBatch: CreateRequest = ({ pipelineKey, serverSecret }, seconds) => ({
  path: '/v1/batch',
  headers: keyed(pipelineKey),
  body: many(SIGNED_BODIES * seconds, () => {
    const body = batchBody(EVENTS)
    return { body, signature: signBody(serverSecret, body) }
  })
})

/** One batch again and again, as a client that never receives the response sends it. */
export const repeatedBatch: CreateRequest = ({ pipelineKey }) => ({
  path: '/v1/batch',
  headers: keyed(pipelineKey),
  body: batchBody(EVENTS)
})

export const pixel: CreateRequest = ({ pipelineKey }) => ({
  path: `/v1/pixel/track?wk=${pipelineKey}&e=Signed%20Up&uid=user_8f14e45f&p.plan=pro&p.seats=5`,
  headers: {}
})

export const guestTokenAt = (prefix: string): CreateRequest => ({ proxyKey, userReference }) => ({
  path: `${prefix}/api/databrain/guest-token?ref=${userReference}`,
  headers: { authorization: `Bearer ${proxyKey}` }
})
export const guestToken = guestTokenAt('')

export const widgetToken: CreateRequest = ({ userReference }) => ({
  path: '/api/generate-token',
  headers: { 'x-user-reference': userReference }
})

/** The body that the SDK posts, each with a new nonce. */
export const embed: CreateRequest = ({ upstream, userReference }, seconds) => {
  const dashboardServerApiUrl = upstream + EMBED_SITE
  const time = Math.floor(Date.now() / 1_000)
  return {
    path: '/authorize',
    headers: { ...JSON_TYPE, 'x-user-reference': userReference },
    body: many(EMBED_BODIES * seconds, () => {
      const query = `embed_nonce=${randomUUID()}&embed_dashboard_id=c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff` +
        '&embed_dashboard_ids=&embed_dashboard_path=&embed_dashboard_paths=&pinboard_name=&embed_mode=view' +
        `&embed_timestamp=${time}&embed_expirationtime=86400`
      return {
        body: JSON.stringify({ embedQuerString: query, embedQueryString: query, dashboardServerApiUrl }),
        signature: ''
      }
    })
  }
}

/** Without a key, with a key for other pages, and to a path that does not exist. */
export const withoutKey: CreateRequest = () => ({ path: '/v1/t', headers: JSON_TYPE, body: EVENT })
export const foreignOrigin: CreateRequest = ({ shopKey }) => ({
  path: '/v1/t',
  headers: { ...keyed(shopKey), origin: 'https://elsewhere.example' },
  body: EVENT
})

export const admin = (path: string): CreateRequest => async (target) => ({
  path,
  headers: { authorization: `Bearer ${(await target.session()).access_token}` }
})

/** Each response contains the token of a later request. A body is `before`, a token and `after`. */
export const refreshAt = (
  path: string,
  headers: Record<string, string>,
  [before, after]: readonly [string, string]
): CreateRequest => async (target, _seconds, connections) => {
  const tokens: string[] = []
  for (let left = connections * 2; left > 0; left--) tokens.push((await target.session()).refresh_token)
  return {
    path,
    headers,
    sample: `${before}${(await target.session()).refresh_token}${after}`,
    lua: `
local tokens, first, last = {${tokens.map((token) => `"${token}"`).join(',')}}, 1, ${tokens.length}
function request()
  local token = tokens[first]
  if token == nil then error("no refresh token is left") end
  tokens[first], first = nil, first + 1
  return wrk.format(nil, nil, nil, '${before}' .. token .. '${after}')
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token ~= nil then last = last + 1; tokens[last] = token end
end
`
  }
}
export const refresh = refreshAt('/v1/admin/auth/refresh', JSON_TYPE, ['{"refresh_token":"', '"}'])

function * many (count: number, create: () => SignedBody): Generator<SignedBody> {
  for (let left = count; left > 0; left--) yield create()
}
