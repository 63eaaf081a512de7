import { randomUUID } from 'node:crypto'

import t from 'tap'

import { done } from '../helpers/cluster-call.js'
import { FROM_SHOP, PROXY_KEY, changePassword, guestToken, keyUntil, tokenUntil } from '../helpers/cluster-subjects.js'
import type { MakeSubject } from '../helpers/cluster-subjects.js'
import { percentile, reachOf } from '../helpers/cluster-watch.js'
import { MODES, cluster } from '../helpers/cluster.js'
import { stubUpstream } from '../helpers/stub-upstream.js'

const RUNS = Number(process.env.RUNS ?? 3)
const INSTANCES = 3
const GOAL = 1_000
const LIMIT = 5_000

interface Case {
  title: string
  make: MakeSubject
  refusal: string
  /** By another process than the servers: then none of them knows at once. */
  elsewhere?: true
}

const CASES: readonly Case[] = [
  {
    title: 'K02: the key of a deleted source',
    make: keyUntil((path, token, at) => done(at, path, { method: 'DELETE', token })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'K02: the key of a disabled source',
    make: keyUntil((path, token, at) => done(at, path, { method: 'PATCH', token, body: { enabled: false } })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'K02: a rotated key',
    make: keyUntil((path, token, at) => done(at, `${path}/rotate-key`, { method: 'POST', token })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'C12: a domain that was removed',
    make: keyUntil((path, token, at) => done(at, path, { method: 'PATCH', token, body: { domains: [] } }), FROM_SHOP),
    refusal: '403 ORIGIN_NOT_ALLOWED'
  },
  {
    title: 'A14: the role of a demoted administrator',
    make: tokenUntil((_own, _other, { id }, { store }) => store.users.update(id, { role: 'viewer' })),
    refusal: '403 FORBIDDEN',
    elsewhere: true
  },
  {
    title: 'A14: the token of a disabled administrator',
    make: tokenUntil((_own, _other, { id }, { store }) => store.users.update(id, { disabled: true })),
    refusal: '401 INVALID_TOKEN',
    elsewhere: true
  },
  {
    title: 'A23: the token of a session that was logged out',
    make: tokenUntil(({ refresh_token }, _other, _user, _cluster, at) => done(at, '/v1/admin/auth/logout', { body: { refresh_token } })),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'A23: a token of who was logged out everywhere',
    make: tokenUntil((_own, { access_token: token }, _user, _cluster, at) => done(at, '/v1/admin/auth/logout-all', { method: 'POST', token })),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'A23: another session\'s token after a change of password',
    make: tokenUntil((_own, other, _user, _cluster, at) => changePassword(other, at)),
    refusal: '401 INVALID_TOKEN'
  },
  { title: 'a guest token of a client that was invalidated', make: guestToken, refusal: 'another token', elsewhere: true }
]

for (const mode of MODES) {
  t.test(`${INSTANCES} instances on ${mode} under steady traffic`, async (t) => {
    const databrain = await stubUpstream(t, (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token: randomUUID() }))
    })
    const made = await cluster(t, {
      mode,
      instances: INSTANCES,
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
    const results = CASES.map(() => ({ last: [] as number[], here: [] as number[], refusals: new Set<string>() }))

    for (let run = 0; run < RUNS; run++) {
      const here = run % INSTANCES
      // Over the whole life of what a cache holds.
      const delay = run * GOAL / RUNS
      const subjects = await Promise.all(CASES.map(({ make }) => make(made, made.at(here))))
      await Promise.all(subjects.map(async ({ ask, revoke }, at) => {
        const { lags, refusals } = await reachOf(made.instances, ask, revoke, delay)
        results[at]?.last.push(Math.max(...lags))
        results[at]?.here.push(lags[here] ?? Number.NaN)
        for (const refusal of refusals) results[at]?.refusals.add(refusal)
      }))
    }

    for (const [at, { title, refusal, elsewhere }] of CASES.entries()) {
      t.test(`${title} is refused by every instance within ${GOAL} ms`, async (t) => {
        const { last = [], here = [], refusals = [] } = results[at] ?? {}
        const figures = { p50: percentile(last, 0.5), p99: percentile(last, 0.99), max: Math.max(...last) }
        t.comment(`${title}, ${mode}, ${RUNS} times: p50 ${figures.p50.toFixed(0)} ms, p99 ${figures.p99.toFixed(0)} ms, max ${figures.max.toFixed(0)} ms`)
        t.equal(last.length, RUNS)
        t.ok(figures.p99 <= GOAL, `p99 ${figures.p99}`)
        t.ok(figures.max <= LIMIT, `max ${figures.max}`)
        t.same([...refusals], [refusal])
        if (elsewhere !== true) t.same(here, here.map(() => 0), 'the instance that was told accepts nothing more')
      })
    }
  })
}
