import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'

import { generateSecret } from '../../signing/secret-strength/index.js'
import { cluster } from './cluster.js'
import type { Cluster } from './cluster.js'
import { privateNats } from './nats.js'
import { nginx, replaced } from './nginx.js'
import type { PrivateNginx, Replacement } from './nginx.js'
import { privateRedis } from './redis.js'
import type { PrivateRedis } from './redis.js'
import { temporaryFolder } from './server-process.js'

export interface Topology {
  made: Cluster
  front: PrivateNginx
}

/**
 * What compose.yaml starts, as plain processes with the files of deploy/: two servers on PostgreSQL, Redis and NATS,
 * behind nginx. `null`
 * where one of them is not to be had.
 */
export async function topology (t: Test, replacements: readonly Replacement[] = []): Promise<Topology | null> {
  const redis = await redisOfDeploy(t)
  const natsUrl = await natsOfDeploy(t)
  if (redis === null || natsUrl === null) return null
  const made = await cluster(t, {
    mode: 'PostgreSQL',
    instances: 2,
    variables: {
      REDIS_URL: redis.url,
      NATS_URL: natsUrl,
      TRUST_PROXY: '127.0.0.1',
      DATABRAIN: 'off',
      BOLDBI: 'off',
      DXFEED: 'off'
    }
  })
  if (made === null) return null
  const front = await nginx(t, made.instances.map(({ origin }) => origin), replacements)
  return front === null ? null : { made, front }
}

/** Under the rule of deploy/redis.acl; the URL is of the user that it lets in. */
export async function redisOfDeploy (t: Test): Promise<PrivateRedis | null> {
  const password = generateSecret()
  const file = join(await temporaryFolder(t), 'users.acl')
  await writeFile(file, replaced(await deployed('redis.acl'), [['REDIS_PASSWORD', password]]))
  const redis = await privateRedis(t, {
    args: ['--aclfile', file, '--maxmemory', '64mb', '--maxmemory-policy', 'noeviction'],
    needsOwn: true
  })
  return redis === null ? null : { ...redis, url: redis.url.replace('://', `://gatehouse:${password}@`) }
}

async function natsOfDeploy (t: Test): Promise<string | null> {
  const password = generateSecret()
  const configuration = replaced(await deployed('nats.conf'), [
    [/^(?:listen|http):.*\n/m, ''],
    [/^jetstream \{[^}]*\}\n/m, ''],
    ['$NATS_PASSWORD', `"${password}"`]
  ])
  const nats = await privateNats(t, { configuration })
  return nats === null ? null : nats.url.replace('://', `://gatehouse:${password}@`)
}

function deployed (name: string): Promise<string> {
  return readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8')
}
