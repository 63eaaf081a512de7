// Measures one route of one server under load.
import { processorTimes } from '../rounds.js'
import { shoot } from '../wrk.js'
import type { Shooting as Round } from './figures.js'
import type { Fleet } from './fleet.js'
import type { Group, Shooting } from './rows.js'

/** Requests in which V8 optimises the code of a route, batches included, and the maximum time for them in seconds. */
const WARM_UP = { requests: 20_000, batches: 1_000, seconds: 12 }

/** Measures one route for some seconds. */
export async function measure (
  fleet: Fleet,
  shooting: Shooting,
  connections: number,
  duration: number
): Promise<Round> {
  const target = await fleet.get(shooting.server)
  const { path, ...request } = await shooting.request(target, duration, connections)
  const before = processorTimes(target.server)
  const { requests, ...round } = await shoot({ url: target.url + path, connections, seconds: duration, ...request })
  const after = processorTimes(target.server)
  const perRequest = (time: 'user' | 'system') => (after[time] - before[time]) * 1_000 / requests
  // wrk counts every other status than 2xx and 3xx as failed.
  const failed = (shooting.status ?? 200) < 400 ? round.failed : Math.abs(requests - round.failed)
  return { ...round, user: perRequest('user'), system: perRequest('system'), failed }
}

/** Sends requests until the code of the route is compiled. */
export async function warmUp (
  fleet: Fleet,
  shooting: Shooting,
  group: Pick<Group, 'connections' | 'isBatch'>
): Promise<void> {
  const enough = group.isBatch ? WARM_UP.batches : WARM_UP.requests
  for (let sent = 0, spent = 0; sent < enough && spent < WARM_UP.seconds; spent += 2) {
    sent += (await measure(fleet, shooting, group.connections, 2)).rate * 2
  }
}
