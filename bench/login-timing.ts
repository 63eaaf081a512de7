// Compares the response times of failed logins with known and with unknown emails: COUNT=1000 of each, one after the
// other in random order, over one connection, at the full cost of argon2id, on PostgreSQL. A p value of 0.01 or more
// means that the two distributions cannot be told apart.
import Fastify from 'fastify'
import { Agent, request } from 'undici'

import { openDatabase } from '../lib/database/open-database.js'
import { createPasswords } from '../lib/passwords/index.js'
import tokenStore from '../plugins/token-store/index.js'
import { sqlStore } from '../plugins/token-store/sql/index.js'
import adminAuth from '../routes/admin/auth/index.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import { describeHost, withPostgres } from './rounds.js'

const COUNT = Number(process.env.COUNT ?? 1_000)
const WARM_UP = 50

type Kind = 'known' | 'unknown'

/** All emails have the same length, and each one is used once, so that no account locks. */
function emailOf (kind: Kind, at: number): string {
  return `${kind === 'known' ? 'k' : 'u'}${String(at).padStart(6, '0')}@example.com`
}

function shuffled<Item> (items: Item[]): Item[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[items[at], items[other]] = [items[other] as Item, items[at] as Item]
  }
  return items
}

/** Returns U and the two-sided p value of the Mann-Whitney test, by its normal approximation with a tie correction. */
function mannWhitney (one: readonly number[], two: readonly number[]): { u: number, p: number } {
  const all = [...one.map((value) => ({ value, first: true })), ...two.map((value) => ({ value, first: false }))]
    .sort((a, b) => a.value - b.value)
  let [rankSum, ties] = [0, 0]
  for (let start = 0; start < all.length;) {
    let end = start
    while (end < all.length && all[end]?.value === all[start]?.value) end++
    const [rank, size] = [(start + end + 1) / 2, end - start]
    rankSum += rank * all.slice(start, end).filter(({ first }) => first).length
    ties += size ** 3 - size
    start = end
  }
  const [n, m, total] = [one.length, two.length, all.length]
  const u = rankSum - n * (n + 1) / 2
  const deviation = Math.sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))))
  return { u, p: 2 * upperTail(Math.abs(u - n * m / 2) / deviation) }
}

/** The upper tail of the normal distribution: Abramowitz and Stegun, formula 26.2.17. */
function upperTail (z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * series
}

function line (kind: Kind, times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2)
  return `| ${[kind, at(0.1), at(0.5), at(0.9), at(0.99)].join(' | ')} |`
}

await withPostgres(async (url) => {
  const database = await openDatabase({ url })
  const app = Fastify()
  await app.register(tokenStore, { store: sqlStore(database, { secretsKeys: [generateSecret()] }), sweepEvery: 0 })
  const passwords = await createPasswords()
  await app.register(adminAuth, { jwtSecrets: [generateSecret()], loginRateLimit: false, passwords })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const passwordHash = await passwords.hash('the password of every known account')
  for (let at = 0; at < COUNT + WARM_UP; at++) {
    await app.tokenStore.users.create({ orgId: 'bench', email: emailOf('known', at), passwordHash, role: 'viewer' })
  }

  const dispatcher = new Agent({ connections: 1 })
  async function timeOf (email: string): Promise<number> {
    const start = performance.now()
    const { statusCode, body } = await request(`${origin}/v1/admin/auth/login`, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'a password that is wrong' })
    })
    await body.dump()
    if (statusCode !== 401) throw new Error(`status ${statusCode}`)
    return performance.now() - start
  }

  const kinds = ['known', 'unknown'] as const
  for (let at = COUNT; at < COUNT + WARM_UP; at++) for (const kind of kinds) await timeOf(emailOf(kind, at))
  const times: Record<Kind, number[]> = { known: [], unknown: [] }
  const plan = shuffled(kinds.flatMap((kind) => Array.from({ length: COUNT }, (_, at) => ({ kind, at }))))
  for (const { kind, at } of plan) times[kind].push(await timeOf(emailOf(kind, at)))

  const { u, p } = mannWhitney(times.known, times.unknown)
  console.log(`${describeHost()}, ${COUNT} of each\n\n| email | p10 ms | p50 ms | p90 ms | p99 ms |`)
  console.log('| --- | ---: | ---: | ---: | ---: |')
  for (const kind of kinds) console.log(line(kind, times[kind]))
  console.log(`\nMann-Whitney: U ${u}, p ${p.toFixed(3)}`)
  await dispatcher.close()
  await app.close()
  await database.close()
})
