import t from 'tap'

import {
  createPasswords, memorySink, memoryStore, pageConfig, signUserReference, verifyTimestampedBody,
  verifyUserReference, verifyWebhook, verifyWidgetToken
} from '../../index.js'
import { sharedTokenStoreContract } from '../../conformance/index.js'
import { LookupCache } from '../../lib/lookup-cache.js'
import { openDatabase } from '../../lib/database/open-database.js'
import type { Database } from '../../lib/database/open-database.js'
import { connectNats, copyStream, jetstreamSink } from '../../plugins/event-sink/jetstream/index.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import { RedisLink, openRedis } from '../../lib/redis/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import { botCheck } from '../../routes/ingestion/bots.js'

const NOW = Date.now()
const KEY = 'eclGd3TWSYLMBHfcKoZEu74OSLseP7ydq8o9qKoSZCI'

const DELIVERY = { method: 'POST', url: 'https://a.example/', headers: {}, body: Buffer.alloc(0), now: NOW }

/** A value that no factory reads before it checks its options. */
const nothing = {} as never
const database = {} as Database

/** Each factory with a misspelt option, as JavaScript can call it, and the end of the error message. */
const CALLS: Record<string, [call: () => unknown, fault: string]> = {
  sqlStore: [() => sqlStore(database, { secretsKeys: [KEY], cacheTTL: 5 } as never),
    '"cacheTTL"; did you mean "cacheTtl"?'],
  sqlSink: [() => sqlSink(database, { maxPendings: 5 } as never), '"maxPendings"; did you mean "maxPending"?'],
  openDatabase: [() => openDatabase({ url: 'postgres://localhost:1/x', maxConnection: 5 } as never),
    '"maxConnection"; did you mean "maxConnections"?'],
  jetstreamSink: [() => jetstreamSink({ connection: nothing, packings: 'event' } as never),
    '"packings"; did you mean "packing"?'],
  copyStream: [() => copyStream({ connection: nothing, sink: nothing, ackwait: 5 } as never),
    '"ackwait"; did you mean "ackWait"?'],
  connectNats: [() => connectNats({ url: 'nats://127.0.0.1:1', credFile: 'x' } as never),
    '"credFile"; did you mean "credsFile"?'],
  openRedis: [() => openRedis({ url: 'redis://127.0.0.1:1', prefixes: 'x' } as never),
    '"prefixes"; did you mean "prefix"?'],
  RedisLink: [() => new RedisLink({ client: nothing, commandTimeOut: 5 } as never),
    '"commandTimeOut"; did you mean "commandTimeout"?'],
  memoryStore: [() => memoryStore({ maxClaim: 5 } as never), '"maxClaim"; did you mean "maxClaims"?'],
  memorySink: [() => memorySink({ capacities: 5 } as never), '"capacities"; did you mean "capacity"?'],
  passwords: [() => createPasswords({ timecost: 3 } as never), '"timecost"; did you mean "timeCost"?'],
  ingestion: [() => botCheck({ expect: ['x'] } as never), '"bots.expect"; did you mean "bots.except"?']
}

/** The error that a function throws, or rejects with. */
async function errorOf (call: () => unknown): Promise<unknown> {
  try {
    await call()
    return null
  } catch (error) {
    return error
  }
}

for (const [name, [call, fault]] of Object.entries(CALLS)) {
  t.test(`${name} refuses an unknown option: ${fault}`, async (t) => {
    t.match(await errorOf(call), { code: 'INVALID_OPTIONS', message: `${name}: unknown option ${fault}` })
  })
}

/** Functions that are called with options, each with a former or misspelt option. */
const FUNCTIONS: Record<string, [call: () => unknown, fault: string]> = {
  signUserReference: [() => signUserReference({ sub: 'ann' }, { key: KEY, audience: 'a', life: 5 } as never),
    '"life"; the options are key, audience, ttl, now'],
  verifyUserReference: [() => verifyUserReference('v1', { keys: [KEY], audience: 'a', nou: 5 } as never),
    '"nou"; did you mean "now"?'],
  verifyWidgetToken: [() => verifyWidgetToken('x', { secret: 's', leeway: 5 } as never),
    '"leeway"; it is now "tolerance"'],
  verifyWebhook: [
    () => verifyWebhook('stripe', { ...DELIVERY, tolerence: 60_000 } as never, []),
    '"tolerence"; did you mean "tolerance"?'
  ],
  verifyTimestampedBody: [
    () => verifyTimestampedBody({ header: '', timestamp: '', now: NOW, leeway: 5 } as never, [KEY], ''),
    '"leeway"; the options are header, timestamp, now, tolerance'
  ],
  pageConfig: [() => pageConfig({ url: 'https://a.example', proxyKey: KEY, reference: 'v1', baseURL: '' } as never),
    '"baseURL"; did you mean "baseUrl"?'],
  sharedTokenStoreContract: [() => sharedTokenStoreContract(nothing, nothing, { round: 1 } as never),
    '"round"; did you mean "rounds"?']
}

for (const [name, [call, fault]] of Object.entries(FUNCTIONS)) {
  t.test(`${name} refuses an unknown option: ${fault}`, async (t) => {
    t.match(await errorOf(call), { name: 'TypeError', message: `${name}: unknown option ${fault}` })
  })
}

t.test('verifyWebhook refuses an unknown property of a custom signature', async (t) => {
  const custom = { header: 'x-signature', encoding: 'hex', hash: 'sha256', prefix: '', timeStampHeader: 'x-time' }
  t.match(await errorOf(() => verifyWebhook('custom', DELIVERY, [], custom as never)), {
    name: 'TypeError',
    message: 'verifyWebhook: unknown option "timeStampHeader"; did you mean "timestampHeader"?'
  })
})

t.test('LookupCache refuses an unknown option', async (t) => {
  t.match(await errorOf(() => new LookupCache({ load: async () => null, misTtl: 5 } as never)), {
    code: 'INVALID_OPTIONS',
    message: 'LookupCache: unknown option "misTtl"; did you mean "missTtl"?'
  })
})

t.test('jetstreamSink refuses an unknown option of its stream', async (t) => {
  t.match(await errorOf(() => jetstreamSink({ connection: nothing, stream: { replica: 3 } } as never)), {
    code: 'INVALID_OPTIONS',
    message: 'jetstreamSink: unknown option "stream.replica"; did you mean "stream.replicas"?'
  })
})

t.test('RedisLink refuses a wrong value with an error that names the option and its bounds', async (t) => {
  const client = { evalsha: () => {} } as never
  const expected = 'must be a whole number of milliseconds, 1 to 4000'
  for (const [commandTimeout, shown] of [[0, '0'], [4_001, '4001'], [0.5, '0.5'], ['250', '"250"']]) {
    t.match(await errorOf(() => new RedisLink({ client, commandTimeout } as never)), {
      code: 'INVALID_OPTIONS',
      message: `redis: "commandTimeout" ${expected}; got ${String(shown)}`
    })
  }
  t.match(await errorOf(() => new RedisLink({ client: {} } as never)), {
    code: 'INVALID_OPTIONS',
    message: 'redis: "client" must be an ioredis client'
  })
})

t.test('openDatabase refuses an option of another location, and a misspelt location', async (t) => {
  t.match(await errorOf(() => openDatabase({ memory: true, maxConnections: 5 } as never)), {
    message: /^openDatabase: unknown option "maxConnections"; the options are memory, onProgress/
  })
  t.match(await errorOf(() => openDatabase({ datadir: '/tmp/x' } as never)), {
    message: 'openDatabase: unknown option "datadir"; did you mean "dataDir"?'
  })
})

t.test('a factory refuses the options of Fastify\'s "register"', async (t) => {
  t.match(await errorOf(() => memoryStore({ prefix: '/x' } as never)), { code: 'INVALID_OPTIONS' })
})

t.test('factories start without options and with known options', async (t) => {
  await memoryStore().close()
  await memoryStore({ now: Date.now, maxClaims: 5 }).close()
  await memorySink().close()
  await memorySink({ capacity: 5 }).close()
})
