// Measures routes of servers under load.
import { processorTimes } from '../rounds.js'
import { shoot } from '../wrk.js'
import type { Shooting as Round } from './figures.js'
import type { Fleet } from './fleet.js'
import type { Group, Shooting } from './rows.js'

/** Requests in which V8 optimises the code of a route, batches included. */
const WARM_UP = { requests: 20_000, batches: 1_000 }
/** Maximum time for them in seconds. */
const WARM_UP_SECONDS = 12

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

/** Sends requests until the code of the route is compiled, for at most some seconds. */
export async function warmUp (
  fleet: Fleet,
  shooting: Shooting,
  group: Pick<Group, 'connections' | 'isBatch'>,
  seconds = WARM_UP_SECONDS
): Promise<void> {
  const enough = group.isBatch ? WARM_UP.batches : WARM_UP.requests
  for (let sent = 0, spent = 0; sent < enough && spent < seconds; spent += 2) {
    sent += (await measure(fleet, shooting, group.connections, 2)).rate * 2
  }
}

export interface Turns extends Pick<Group, 'connections' | 'isBatch'> {
  rounds: number
  /** Duration of one measurement. */
  seconds: number
  /** Maximum duration of the warm-up of a route. Default: 12. */
  warmUpSeconds?: number
}

/** Checks the responses of the routes, then measures all routes in each round. */
export async function measureInTurns (
  fleet: Fleet,
  shootings: readonly Shooting[],
  turns: Turns
): Promise<Map<Shooting, Round[]>> {
  const results = new Map<Shooting, Round[]>(shootings.map((shooting) => [shooting, []]))
  for (const shooting of shootings) {
    await warmUp(fleet, shooting, turns, turns.warmUpSeconds)
    await checkAnswer(fleet, shooting)
  }
  for (let round = 0; round < turns.rounds; round++) {
    // The order changes, so that no route is always measured first.
    const order = round % 2 === 0 ? [...results] : [...results].reverse()
    for (const [shooting, measured] of order) {
      measured.push(await measure(fleet, shooting, turns.connections, turns.seconds))
    }
  }
  return results
}

/** Throws an error if the status or the body of a response is not the expected one. */
async function checkAnswer (fleet: Fleet, { server, request, status = 200, answer }: Shooting): Promise<void> {
  if (status < 400 && answer === undefined) return
  const target = await fleet.get(server)
  const { path, headers, body, sample = body } = await request(target, 1, 1)
  if (typeof sample === 'object') throw new Error(`${server} ${path}: cannot be checked, because each body is different`)
  const init = sample === undefined ? { headers } : { method: 'POST', headers, body: sample }
  const response = await fetch(target.url + path, init)
  const text = await response.text()
  if (response.status === status && (answer?.test(text) ?? true)) return
  throw new Error(`${server} ${path}: ${response.status} ${text}, not ${status} ${answer ?? ''}`)
}
