// Each route of the suite, and the same work done by its peers.
import { signBody } from '../../signing/datafly/body-signature.js'
import { EVENT, SERVER_SECRET } from '../load.js'
import * as requests from '../routes/requests.js'
import type { CreateRequest } from '../routes/requests.js'
import type { Shooting } from '../routes/rows.js'
import type { PACKAGES } from './packages.js'

export interface Pair {
  name: string
  ours: Shooting
  peers: Shooting[]
  connections: number
  /** Packages of the peers that are installed for the run. */
  packages: ReadonlyArray<keyof typeof PACKAGES>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const SUCCESS = /^\{"success":true\}$/
const OK = /^\{"ok":true\}$/
const GUEST_TOKEN = /^\{"token":"[0-9a-f-]{36}"\}$/
const UPSTREAM_BODY = /^\{"ApiStatus":true,.{1400,},"Status":true\}$/
const TOKENS = /"access_token":"ey.*"refresh_token":"/

const oidcRefresh = requests.refreshAt(
  '/token',
  { 'content-type': 'application/x-www-form-urlencoded' },
  ['grant_type=refresh_token&client_id=bench&refresh_token=', '']
)

/** Cookies of different sessions, in turns: two requests of one session would wait for its row. */
const cookies: string[] = []
const getSession: CreateRequest = async (target, _seconds, connections) => {
  while (cookies.length < connections * 2) cookies.push((await target.session()).refresh_token)
  return {
    path: '/api/auth/get-session',
    headers: { cookie: cookies[0] ?? '' },
    lua: `
local cookies, at = {${cookies.map((cookie) => `"${cookie}"`).join(',')}}, 0
function request()
  at = at % #cookies + 1
  wrk.headers["cookie"] = cookies[at]
  return wrk.format("GET")
end
`
  }
}

const forwarded: CreateRequest = ({ proxyKey }) => ({
  path: '/proxy/datasets/query',
  headers: { ...JSON_TYPE, 'x-proxy-auth-key': proxyKey },
  body: EVENT
})
const signedEvent: CreateRequest = () => ({
  path: '/event',
  headers: { ...JSON_TYPE, 'x-datafly-signature': signBody(SERVER_SECRET, EVENT) },
  body: EVENT
})

type To = [server: string, request?: CreateRequest, expected?: Pick<Shooting, 'status' | 'answer'>]

function pair (
  name: string,
  request: CreateRequest,
  answer: RegExp,
  [ours, ...peers]: [To, ...To[]],
  { connections = 64, packages = [] }: Partial<Pick<Pair, 'connections' | 'packages'>> = {}
): Pair {
  const shooting = ([server, own = request, expected = { answer }]: To): Shooting =>
    ({ server, request: own, ...expected })
  return { name, ours: shooting(ours), peers: peers.map(shooting), connections, packages }
}

export const PAIRS: Pair[] = [
  pair('guest token, cached', requests.guestToken, GUEST_TOKEN, [['postgres'], ['express sample']]),
  pair('guest token, uncached', requests.guestToken, GUEST_TOKEN, [['guest token, uncached'], ['express sample']]),
  pair('reverse proxy', forwarded, UPSTREAM_BODY, [
    ['databrain proxy'], ['@fastify/http-proxy'], ['http-proxy-middleware']
  ], { packages: ['@fastify/http-proxy', 'http-proxy-middleware'] }),
  pair('refresh', requests.refresh, TOKENS, [
    ['postgres'], ['oidc-provider', oidcRefresh], ['better-auth', getSession, { answer: /"session":\{"expiresAt":/ }]
  ], { connections: 16, packages: ['better-auth'] }),
  pair('signature', signedEvent, SUCCESS, [['signature guard'], ['fastify-raw-body']]),
  pair('rate limit', requests.get('/ok'), OK, [['rate limit'], ['@fastify/rate-limit']]),
  pair('admin guard', requests.admin('/internal'), OK, [['postgres'], ['jwt']]),
  pair('single event', requests.event, SUCCESS, [
    ['postgres'], ['express + pg'], ['nginx', requests.event, { status: 204, answer: /^$/ }]
  ])
]
