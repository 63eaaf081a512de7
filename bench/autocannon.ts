// Creates load on machines without wrk. It uses more processor time than wrk, so throughput is lower; the processor
// time of the server is the same.
import autocannon from 'autocannon'

import type { Round } from './rounds.js'
import type { Shot } from './wrk.js'

/** Throws an error for requests that only wrk can create. */
export async function shootWithAutocannon (shot: Shot): Promise<Required<Round>> {
  const { url, connections, seconds, headers, body, lua } = shot
  if (lua !== undefined) throw new Error('This row needs wrk: apt-get install wrk, or brew install wrk')
  const bodies = typeof body === 'object' ? body[Symbol.iterator]() : null
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    headers,
    ...body === undefined ? {} : { method: 'POST' as const },
    ...typeof body === 'string' ? { body } : {},
    ...bodies === null
      ? {}
      : {
          requests: [{
            setupRequest (request) {
              const { value, done } = bodies.next()
              if (done === true) throw new Error('no bodies are left')
              const signed = value.signature === '' ? {} : { 'x-datafly-signature': value.signature }
              return { ...request, body: value.body, headers: { ...headers, ...signed } }
            }
          }]
        }
  })
  const { requests, latency, non2xx, errors, timeouts } = result
  return {
    rate: requests.average,
    requests: requests.total,
    p50: latency.p50,
    p99: latency.p99,
    failed: non2xx + errors + timeouts
  }
}
