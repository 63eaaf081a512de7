import { randomUUID } from 'node:crypto'

import type { Test } from 'tap'

import { signBody } from '../../../signing/datafly/body-signature.js'
import { call, done } from '../../helpers/cluster-call.js'
import type { Called } from '../../helpers/cluster-call.js'
import type { Cluster } from '../../helpers/cluster.js'
import { storedIds } from '../../helpers/server-session.js'

/** A batch has room for twice this number. */
const ROUNDS = Math.min(Number(process.env.ROUNDS ?? 20), 200)
const COPIES = 10

/** Sends copies of one messageId at once over two instances. */
export async function copies (t: Test, made: Cluster): Promise<void> {
  const since = new Date()
  const created = await done(made.at(0), '/v1/admin/sources', { token: made.token, body: { name: 'Shop' } })
  const [key, secret] = [String(created.pipeline_key), String(created.server_secret)]

  const send = (path: string, body: object, signed: boolean) =>
    Promise.all(Array.from({ length: COPIES }, (_, index) =>
      call(made.at(index % 2), path, {
        token: key,
        body,
        headers: signed ? { 'x-datafly-signature': signBody(secret, JSON.stringify(body)) } : {}
      })))

  const storedOnce = async (t: Test, ids: readonly string[]) => {
    const stored = await storedIds(made.at(1), made.token, since)
    t.same(ids.map((id) => stored.get(id)), ids.map(() => 1))
  }

  for (const signed of [false, true]) {
    const how = signed ? 'signed' : 'unsigned'

    t.test(`exactly one of ${COPIES} copies as ${how} single events is stored, and all responses ` +
      'are 200', async (t) => {
      const ids = Array.from({ length: ROUNDS }, () => randomUUID())
      for (const messageId of ids) allAccepted(t, await send('/v1/t', event(messageId), signed), { success: true })
      await storedOnce(t, ids)
    })

    t.test(`exactly one of ${COPIES} copies in ${how} batches with repeats is stored, and all ` +
      'responses are 200', async (t) => {
      const ids = Array.from({ length: ROUNDS }, () => randomUUID())
      const batch = [...ids, ...ids].map((messageId) => ({ type: 'track', ...event(messageId) }))
      allAccepted(t, await send('/v1/batch', { batch }, signed), { success: true, accepted: batch.length })
      await storedOnce(t, ids)
    })

    t.test(`exactly one of ${COPIES} ${how} copies, single and in overlapping batches, is stored, and all responses ` +
      'are 200', async (t) => {
      const ids = Array.from({ length: ROUNDS }, () => randomUUID())
      const sendings = ids.flatMap((messageId, index) => {
        const batch = ids.slice(index, index + 5).map((id) => ({ type: 'track', ...event(id) }))
        return [send('/v1/t', event(messageId), signed), send('/v1/batch', { batch }, signed)]
      })
      allAccepted(t, (await Promise.all(sendings)).flat(), { success: true })
      await storedOnce(t, ids)
    })
  }
}

function allAccepted (t: Test, answers: readonly Called[], expected: object): void {
  t.same(
    answers.filter(({ status, body }) =>
      status !== 200 || Object.entries(expected).some(([name, value]) => body[name] !== value)
    ),
    []
  )
}

function event (messageId: string): object {
  return { event: 'Copied', userId: 'u', messageId }
}
