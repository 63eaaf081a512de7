// Memory of the built-in server on PostgreSQL under a steady mix of requests, at a share of its measured maximum.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import autocannon from 'autocannon'

import { describeHost, processorTime, residentMegabytes, withPostgres } from './rounds.js'
import { Fleet } from './routes/fleet.js'
import type { Target } from './routes/fleet.js'
import { positive } from './routes/print.js'
import * as requests from './routes/requests.js'

const HELP = `npm run bench:soak -- [options]
  --minutes <number>  duration after the maximum is measured; default 10
  --percent <number>  load, as a percentage of the maximum; default 70`
const CONNECTIONS = 64
/** Time in which code is compiled, and time of the measurement of the maximum, in seconds. */
const [WARM_UP, MAXIMUM] = [30, 10]
const MINUTE = 60_000
/** An access token is valid for 15 minutes. */
const LOGIN_INTERVAL = 5 * MINUTE

const MIX = [requests.event, requests.event, requests.pixel, requests.guestToken, requests.widgetToken]

/** The requests of each connection, in turns: the mix and one list that an administrator reads. */
async function mixOf (target: Target, accessToken: () => string): Promise<autocannon.Request[]> {
  const mix: autocannon.Request[] = []
  for (const create of MIX) {
    const { path, headers, body } = await create(target, 1, CONNECTIONS)
    mix.push(typeof body === 'string' ? { method: 'POST', path, headers, body } : { path, headers })
  }
  const setupRequest = (request: autocannon.Request) =>
    ({ ...request, headers: { authorization: `Bearer ${accessToken()}` } })
  return [...mix, { path: '/v1/admin/sources', setupRequest }]
}

async function soak (target: Target, minutes: number, share: number): Promise<void> {
  let { access_token: token } = await target.session()
  const logins = setInterval(() => {
    target.session().then((session) => { token = session.access_token }, console.error)
  }, LOGIN_INTERVAL)
  const mix = await mixOf(target, () => token)
  const load = (duration: number, rate: { overallRate?: number } = {}) =>
    autocannon({ url: target.url, connections: CONNECTIONS, requests: mix, duration, ...rate })

  await load(WARM_UP)
  const { requests: { average: maximum } } = await load(MAXIMUM)
  const overallRate = Math.round(maximum * share)
  console.log(`${Math.round(maximum)} requests/s at most, now ${overallRate}\n\n| minute | RSS, MB |\n| ---: | ---: |`)
  const samples = [residentMegabytes(target.server)]
  const before = processorTime(target.server)
  const running = load(minutes * 60, { overallRate })
  for (let minute = 1; minute <= minutes; minute++) {
    await sleep(MINUTE)
    samples.push(residentMegabytes(target.server))
    console.log(`| ${minute} | ${samples.at(-1)} |`)
  }
  const { requests: { average }, latency, non2xx, errors, timeouts } = await running
  clearInterval(logins)
  const cores = (processorTime(target.server) - before) / (minutes * MINUTE)
  console.log(`\n${Math.round(average)} requests/s, ${cores.toFixed(2)} cores, p99 ${latency.p99} ms; RSS from ` +
    `${samples[0]} to ${samples.at(-1)} MB, at most ${Math.max(...samples)} MB`)
  const failed = non2xx + errors + timeouts
  if (failed > 0) throw new Error(`${failed} requests failed`)
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    percent: { type: 'string', default: '70' },
    help: { type: 'boolean' }
  }
})
if (values.help === true) {
  console.log(HELP)
} else {
  const [minutes, percent] = [positive('minutes', values.minutes), positive('percent', values.percent)]
  await withPostgres(async (url) => {
    const fleet = new Fleet(url)
    console.log(describeHost())
    await fleet.get('built-in').then((target) => soak(target, minutes, percent / 100)).finally(() => fleet.close())
  })
}
