// The rows of the table. Each is compared with a bare route in the same round.
import { EVENT } from '../load.js'
import type { ServerName } from './fleet.js'
import { LIMITED } from './names.js'
import * as requests from './requests.js'
import type { CreateRequest } from './requests.js'

export interface Shooting {
  server: string
  request: CreateRequest
  /** Expected status of every response. Default: 200. */
  status?: number
  /** Expected body of a response. Default: not checked. */
  answer?: RegExp
}
export interface Row extends Shooting {
  server: ServerName
  /** Unique together with the server and the connections. */
  route: string
}
/** Rows that are compared with one bare route. */
export interface Group {
  /** The name of the bare route in the table, such as `POST of a batch`. */
  base: string
  bare: Shooting
  connections: number
  /** Whether each request is a batch of events. */
  isBatch: boolean
  rows: Row[]
}

const BATCH = 'POST of a batch'
/** An open connection is needed for each refresh token, so there are few. */
const REFRESHES = 16

const row = (route: string, request: CreateRequest, servers: ServerName[], status = 200): Row[] =>
  servers.map((server) => ({ route, request, server, status }))
const bare = (path: string, request: CreateRequest): Shooting =>
  ({ server: 'bare', request: requests.sentTo(path, request) })
const bareEvent = bare('/event', requests.event)
const group = (base: string, bare: Shooting, rows: Row[][], connections = 64): Group => ({
  base,
  bare,
  connections,
  isBatch: base === BATCH,
  rows: rows.flat()
})

const ALL: ServerName[] = ['memory', 'memory metrics', 'postgres', 'postgres metrics', 'built-in']
const STORES: ServerName[] = ['memory', 'postgres', 'postgres metrics', 'built-in']

export const GROUPS: Group[] = [
  group('POST of an event', bareEvent, [row('single event', requests.event, ALL)]),
  group('POST of an event', bareEvent, [row('single event', requests.event, ['postgres', 'built-in'])], 256),
  group(BATCH, bare('/batch', requests.repeatedBatch), [
    row('batch of 100', requests.batch, ALL),
    row('batch of 100, signed', requests.signedBatch, ['postgres', 'built-in']),
    row('batch of 100, repeated', requests.repeatedBatch, ['postgres', 'built-in'])
  ]),
  group('GET of an image', bare('/pixel', requests.pixel), [row('pixel', requests.pixel, STORES)]),
  group('GET of a guest token', bare('/guest-token', requests.guestToken), [
    row('guest token, cached', requests.guestToken, STORES)
  ]),
  group('GET of a widget token', bare('/widget-token', requests.widgetToken), [
    row('widget token', requests.widgetToken, STORES)
  ]),
  group('a hop with one client', bare('/hop', requests.embed), [
    row('embed authorize', requests.embed, ['memory', 'postgres', 'built-in'])
  ]),
  group('POST of an event', bareEvent, [
    row('401, no key', requests.withoutKey, ['memory', 'built-in'], 401),
    row('403, foreign origin', requests.foreignOrigin, ['memory', 'built-in'], 403)
  ]),
  group('GET of 15 bytes', bare('/ok', requests.get('/')), [
    row('404', requests.get('/nothing'), ['memory', 'built-in'], 404),
    row('429, unknown paths', requests.get('/nothing'), ['built-in limited'], 429),
    row('429, guest token', requests.guestTokenAt(LIMITED), ['memory'], 429),
    row('/healthz', requests.get('/healthz'), ['built-in'])
  ]),
  group('GET behind @fastify/jwt', { server: 'jwt', request: requests.admin('/internal') }, [
    row('admin guard', requests.admin('/internal'), ['memory', 'postgres'])
  ]),
  group('POST that answers two tokens', { server: 'bare', request: requests.post('/refresh', EVENT) }, [
    row('refresh', requests.refresh, ['memory', 'postgres', 'built-in'])
  ], REFRESHES)
]

/** Unique name of a row, in `bench/baseline.json`. */
export function nameOf ({ route, server }: Pick<Row, 'route' | 'server'>, { connections }: Pick<Group, 'connections'>) {
  return `${route}, ${server}, ${connections}`
}
