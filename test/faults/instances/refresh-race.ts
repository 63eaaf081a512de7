import { setTimeout as sleep } from 'node:timers/promises'

import type { Test } from 'tap'

import { call, done } from '../../helpers/cluster-call.js'
import type { Called, Pair } from '../../helpers/cluster-call.js'
import { makeUser, signIn } from '../../helpers/cluster-subjects.js'
import type { Cluster } from '../../helpers/cluster.js'
import { rawExchange } from '../../helpers/raw-socket.js'
import type { ServerProcess } from '../../helpers/server-process.js'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const PARALLEL = 50

/** Races refreshes over two instances; all instances refuse the revoked tokens. */
export async function refreshRaces (t: Test, made: Cluster): Promise<void> {
  const two = (index: number) => made.at(index % 2)

  t.test(`exactly one of ${PARALLEL} parallel refreshes of one token succeeds, and all tokens of the ` +
    'user are revoked', (t) =>
    rounds(t, made, async ({ raced }) => {
      const answers = await Promise.all(
        Array.from({ length: PARALLEL }, (_, index) => refresh(two(index), raced.refresh_token))
      )
      return wonBy(t, answers)
    }))

  t.test('exactly one of two refreshes in one TCP write succeeds, and all tokens of the user are revoked', (t) =>
    rounds(t, made, async ({ raced, round }) => {
      const text = await rawExchange(two(round).origin, rawRefresh(raced, 'keep-alive') + rawRefresh(raced, 'close'))
      return wonBy(t, parsed(text))
    }))

  t.test('exactly one of two refreshes on both instances at once succeeds, and all tokens of the user ' +
    'are revoked', (t) =>
    rounds(t, made, async ({ raced }) => {
      const texts = await Promise.all([0, 1].map((index) => rawExchange(two(index).origin, rawRefresh(raced, 'close'))))
      return wonBy(t, texts.flatMap(parsed))
    }))

  t.test('a token that one instance rotated revokes all tokens of the user when it is sent to the ' +
    'other instance', (t) =>
    rounds(t, made, async ({ raced, other, round }) => {
      const [one, another] = [two(round), two(round + 1)]
      const answers = [await refresh(one, raced.refresh_token), await refresh(another, raced.refresh_token)]
      t.match(answers, [{ status: 200 }, { status: 401 }])
      t.match(
        await call(another, '/v1/admin/auth/me', { token: other.access_token }),
        { status: 401 },
        'at once on the instance that detected the reuse'
      )
      return wonBy(t, answers)
    }))
}

interface Round {
  round: number
  raced: Pair
  other: Pair
}

/**
 * Races one of a new user's two sessions repeatedly; after each race all tokens of the user are refused, and the
 * audit trail contains the reuse.
 */
async function rounds (t: Test, made: Cluster, race: (round: Round) => Promise<Pair[]>): Promise<void> {
  const users: string[] = []
  const ends: Array<Promise<number>> = []
  for (let round = 0; round < ROUNDS; round++) {
    const { id, email } = await makeUser(made, 'viewer')
    users.push(id)
    const [raced, other] = [await signIn(made.at(0), { email }), await signIn(made.at(1), { email })]
    // Every instance has cached both sessions.
    for (const { access_token: token } of [raced, other]) {
      await Promise.all(made.instances.map((at) => done(at, '/v1/admin/auth/me', { token })))
    }

    const successors = await race({ round, raced, other })
    const pairs = [...successors, other, raced]
    ends.push(lastAccepted(made, pairs.map(({ access_token }) => access_token)))
    // The raced token comes last: its reuse would be detected now if it was not detected before.
    for (const { refresh_token } of pairs) {
      t.match(await refresh(made.at(round), refresh_token), { status: 401, code: 'INVALID_REFRESH_TOKEN' })
    }
  }
  const slowest = Math.max(...await Promise.all(ends))
  t.comment(`no access token worked for longer than ${Math.round(slowest)} ms`)
  for (const id of users) await reported(made, id)
}

function refresh (at: ServerProcess, refreshToken: string): Promise<Called> {
  return call(at, '/v1/admin/auth/refresh', { body: { refresh_token: refreshToken } })
}

/** Asserts that exactly one refresh succeeded and the others are 401, and returns the new pair. */
function wonBy (t: Test, answers: readonly Called[]): Pair[] {
  const pairs = answers.filter(({ status }) => status === 200).map(({ body }) => body as unknown as Pair)
  t.equal(pairs.length, 1, 'one successor')
  const others = new Set(answers.filter(({ status }) => status !== 200).map(({ status, code }) => `${status} ${code}`))
  t.same([...others], ['401 INVALID_REFRESH_TOKEN'])
  return pairs
}

/**
 * Milliseconds from now to the start of the last request that one of these access tokens was accepted for, on any
 * instance.
 */
async function lastAccepted ({ instances }: Cluster, tokens: readonly string[]): Promise<number> {
  const start = performance.now()
  for (let last = start; ; await sleep(20)) {
    const asked = performance.now()
    const answers = await Promise.all(
      instances.flatMap((at) => tokens.map((token) => call(at, '/v1/admin/auth/me', { token })))
    )
    if (!answers.some(({ status }) => status === 200)) return last - start
    last = asked
  }
}

/** Waits for the audit entry, which is written after the response. */
async function reported ({ at, token }: Cluster, userId: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) {
    const { data } = await done(at(0), `/v1/admin/audit-logs?action=auth.refresh_reused&user_id=${userId}`, { token })
    if ((data as unknown[]).length > 0) return
  }
  throw new Error('not in the audit trail')
}

function rawRefresh ({ refresh_token }: Pair, connection: string): string {
  const body = JSON.stringify({ refresh_token })
  return ['POST /v1/admin/auth/refresh HTTP/1.1', 'Host: a', 'Content-Type: application/json',
    `Content-Length: ${body.length}`, `Connection: ${connection}`, '', body].join('\r\n')
}

function parsed (text: string): Called[] {
  return text.split(/(?=HTTP\/1\.1 \d{3} )/).map((reply) => {
    const body = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))) as Called['body'] & { error?: { code: string } }
    return { status: Number(reply.slice(9, 12)), code: body.error?.code, body }
  })
}
