import { randomUUID } from 'node:crypto'

import t from 'tap'

import { PROXY_KEY } from '../helpers/cluster-subjects.js'
import { MODES, cluster } from '../helpers/cluster.js'
import { stubUpstream } from '../helpers/stub-upstream.js'
import { copies } from './instances/copies.js'
import { refreshRaces } from './instances/refresh-race.js'
import { revocations, revocationsWithRedisAway } from './instances/revocation.js'

for (const mode of MODES) {
  t.test(`three instances on ${mode} share events, tokens and revocations`, async (t) => {
    const databrain = await stubUpstream(t, (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token: randomUUID() }))
    })
    const made = await cluster(t, {
      mode,
      instances: 3,
      variables: {
        DATABRAIN_API_URL: databrain.origin,
        DATABRAIN_API_KEY: 'the-key-of-the-product',
        DATABRAIN_PROXY_KEY: PROXY_KEY,
        DATABRAIN_DATA_APP: 'Revenue',
        EMBED_RATE_MAX: '0',
        BOLDBI: 'off',
        DXFEED: 'off'
      }
    })
    if (made === null) return
    await revocations(t, made)
    await refreshRaces(t, made)
    await copies(t, made)
    await revocationsWithRedisAway(t, made)
  })
}
