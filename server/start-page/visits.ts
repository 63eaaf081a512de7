import type { FastifyInstance } from 'fastify'

import { GUEST_TOKEN_PATH, PROXY_PATH, RENEWAL_PATH } from '../products.js'
import type { CallRecorder, Topic } from './calls.js'
import type { DemoSession } from './session.js'

const TOPICS: ReadonlyArray<readonly [path: string, topic: Topic | null]> = [
  [GUEST_TOKEN_PATH, 'databrain'],
  [RENEWAL_PATH, 'databrain'],
  [PROXY_PATH, 'databrain'],
  ['/authorize', 'boldbi'],
  ['/api/generate-token', 'dxfeed'],
  ['/captcha/challenge', 'dxfeed'],
  ['/d.js', 'events'],
  ['/v1/admin', null],
  ['/v1', 'events']
]

/** Records the requests of the start page's sessions that this server receives. Call it before the routes. */
export function recordVisits (app: FastifyInstance, calls: CallRecorder, session: DemoSession): void {
  calls.follow(app)
  calls.watch(app, { party: 'server', sessionOf: (request) => session.of(request)?.id ?? null, topicOf })
}

/** Returns the topic of a path, or `null` for a path that the start page does not show. */
function topicOf (path: string): Topic | null {
  const found = TOPICS.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))
  return found?.[1] ?? null
}
