import type { Test } from 'tap'

import { done } from '../../helpers/cluster-call.js'
import {
  FROM_SHOP, apiKeyUntil, changePassword, embeds, guestToken, keyUntil, tokenUntil
} from '../../helpers/cluster-subjects.js'
import type { MakeSubject } from '../../helpers/cluster-subjects.js'
import { percentile, reachOf } from '../../helpers/cluster-watch.js'
import type { WatchOptions } from '../../helpers/cluster-watch.js'
import type { Cluster } from '../../helpers/cluster.js'

const RUNS = Number(process.env.RUNS ?? 2)
/** How long a cache keeps a value, in milliseconds. */
const CACHED = 1_000
/** Longer than the timeout of a Redis command. */
const HANG = 1_500

interface Case {
  title: string
  make: MakeSubject
  refusal: string
  /** Revoked by another process, so that no server knows it immediately. */
  elsewhere?: true
}

const CASES: readonly Case[] = [
  {
    title: 'the key of a deleted source',
    make: keyUntil((path, token, at) => done(at, path, { method: 'DELETE', token })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'the key of a disabled source',
    make: keyUntil((path, token, at) => done(at, path, { method: 'PATCH', token, body: { enabled: false } })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'a rotated key',
    make: keyUntil((path, token, at) => done(at, `${path}/rotate-key`, { method: 'POST', token })),
    refusal: '401 INVALID_PIPELINE_KEY'
  },
  {
    title: 'a removed domain',
    make: keyUntil((path, token, at) => done(at, path, { method: 'PATCH', token, body: { domains: [] } }), FROM_SHOP),
    refusal: '403 ORIGIN_NOT_ALLOWED'
  },
  {
    title: 'the role of a demoted administrator',
    make: tokenUntil((_own, _other, { id }, { store }) => store.members.update('default', id, { role: 'viewer' })),
    refusal: '403 FORBIDDEN',
    elsewhere: true
  },
  {
    title: 'the token of a disabled administrator',
    make: tokenUntil((_own, _other, { id }, { store }) => store.members.update('default', id, { disabled: true })),
    refusal: '401 INVALID_TOKEN',
    elsewhere: true
  },
  {
    title: 'the token of a removed administrator',
    make: tokenUntil((_own, _other, { id }, { store }) => store.members.remove('default', id)),
    refusal: '401 INVALID_TOKEN',
    elsewhere: true
  },
  {
    title: 'the role of an administrator that an owner demotes',
    make: memberUntil({ method: 'PATCH', body: { role: 'viewer' } }),
    refusal: '403 FORBIDDEN'
  },
  {
    title: 'the token of an administrator that an owner disables',
    make: memberUntil({ method: 'PATCH', body: { disabled: true } }),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'the token of an administrator that an owner removes',
    make: memberUntil({ method: 'DELETE' }),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'the token of a person whom a directory deactivates',
    make: memberOfDirectory(),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'a revoked API key',
    make: apiKeyUntil((path, token, at) => done(at, path, { method: 'DELETE', token })),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'a rotated API key',
    make: apiKeyUntil((path, token, at) => done(at, `${path}/rotate`, { method: 'POST', token })),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'the token of a session that was logged out',
    make: tokenUntil(({ refresh_token }, _other, _user, _cluster, at) =>
      done(at, '/v1/admin/auth/logout', { body: { refresh_token } })
    ),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'a token of a user who was logged out everywhere',
    make: tokenUntil((_own, { access_token: token }, _user, _cluster, at) =>
      done(at, '/v1/admin/auth/logout-all', { method: 'POST', token })
    ),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: "another session's token after a change of password",
    make: tokenUntil((_own, other, _user, _cluster, at) => changePassword(other, at)),
    refusal: '401 INVALID_TOKEN'
  },
  {
    title: 'a guest token of a client that was invalidated',
    make: guestToken,
    refusal: 'another token',
    elsewhere: true
  },
  { title: 'the embeds of a revoked user', make: embeds, refusal: '403 FORBIDDEN' }
]

/** The access token of a member whom an owner changes by this request. */
function memberUntil (change: { method: 'PATCH' | 'DELETE', body?: object }): MakeSubject {
  return tokenUntil((_own, _other, { id }, { token }, at) => done(at, `/v1/admin/users/${id}`, { ...change, token }))
}

/** The access token of a provisioned member whom a directory deactivates over SCIM. */
function memberOfDirectory (): MakeSubject {
  return tokenUntil(async (_own, _other, { id, email }, { store, token }, at) => {
    await store.scim.createUser({ orgId: 'default', userId: id, userName: email, externalId: null, attributes: {} })
    const key = { name: 'Directory', role: 'owner', permissions: ['scim:manage'] }
    const created = await done(at, '/v1/admin/keys', { token, body: key })
    await done(at, `/scim/v2/Users/${id}`, {
      method: 'PATCH',
      token: String(created.key),
      body: { Operations: [{ op: 'Replace', path: 'active', value: 'False' }] }
    })
  })
}

/** Measures revocations under steady traffic to all instances. */
export async function revocations (t: Test, cluster: Cluster): Promise<void> {
  const results = await measure(cluster, RUNS)
  for (const { title, refusal, elsewhere, last, here, refusals } of results) {
    t.test(`${title} is refused by every instance`, async (t) => {
      t.comment(`${title}, ${cluster.mode}, ${figures(last)}`)
      t.equal(last.length, RUNS)
      t.same([...refusals], [refusal])
      if (elsewhere !== true) t.same(here, here.map(() => 0), 'the instance that revoked it refuses it at once')
    })
  }
}

/** Only if the instances share a Redis that the test can stop. */
export async function revocationsWithRedisAway (t: Test, cluster: Cluster): Promise<void> {
  const { redis } = cluster
  if (redis?.ownServer !== true) return

  t.test('after Redis hung and recovered, every instance refuses the revoked credentials', async (t) => {
    // Redis keeps its entries while it hangs.
    const hang = async () => {
      redis.pause()
      setTimeout(redis.resume, HANG)
    }
    checkAway(t, await measure(cluster, 1, { calm: 2 * HANG, pause: 50, before: hang }))
  })

  t.test('after Redis was killed, every instance refuses the revoked credentials', async (t) => {
    checkAway(t, await measure(cluster, 1, { before: redis.kill }))
    await redis.start()
  })
}

function checkAway (t: Test, results: readonly Result[]): void {
  for (const { title, last, refusal, refusals } of results) {
    t.comment(`${title}: ${figures(last)}`)
    t.same([...refusals], [refusal])
  }
}

interface Result extends Case {
  /** Milliseconds until the last instance refused it, by run. */
  last: number[]
  /** The same for the instance that revoked it. */
  here: number[]
  refusals: Set<string>
}

interface MeasureOptions extends WatchOptions {
  /** Called once, after the credentials were accepted and before their revocation. */
  before?(): Promise<void>
}

/** Revokes one credential of each kind at a time. */
async function measure (
  cluster: Cluster,
  runs: number,
  { before = async () => {}, ...watch }: MeasureOptions = {}
): Promise<Result[]> {
  const results = CASES.map((tested): Result => ({ ...tested, last: [], here: [], refusals: new Set() }))
  for (let run = 0; run < runs; run++) {
    const here = run % cluster.instances.length
    // The delays cover the whole lifetime of a cached value.
    const delay = run * CACHED / runs
    let ready: Promise<void> | undefined
    const subjects = await Promise.all(
      results.map(async (result) => ({ result, ...await result.make(cluster, cluster.at(here)) }))
    )
    await Promise.all(subjects.map(async ({ result, ask, revoke }) => {
      const { lags, refusals } = await reachOf(cluster.instances, ask, () => (ready ??= before()).then(revoke), {
        delay,
        ...watch
      })
      result.last.push(Math.max(...lags))
      result.here.push(lags[here] ?? Number.NaN)
      for (const refusal of refusals) result.refusals.add(refusal)
    }))
  }
  return results
}

function figures (lags: readonly number[]): string {
  const [p50, p99, max] = [percentile(lags, 0.5), percentile(lags, 0.99), Math.max(...lags)].map((value) =>
    value.toFixed(0)
  )
  return `${lags.length} times: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`
}
