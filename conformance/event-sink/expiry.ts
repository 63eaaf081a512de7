import assert from 'node:assert/strict'

import { isReadable } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { NOW, anEvent, stored } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

export async function expiryContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('expire deletes only the events that were received before a time, of every organisation', async () => {
    const { sink } = await create()
    if (sink.expire === undefined) return
    const at = (receivedAt: number, orgId: string) => anEvent({ receivedAt, orgId })
    const retained = [at(NOW, 'org-a'), at(NOW + 1, 'org-b'), at(NOW, 'org-d')]
    // In the order of `receivedAt`, as a server writes; the event's own `timestamp` does not matter.
    await sink.write([at(NOW - 2, 'org-a'), at(NOW - 2, 'org-b'), at(NOW - 1, 'org-c'), at(NOW - 1, 'org-a'),
      ...retained.map((event) => ({ ...event, timestamp: 0 }))])
    await sink.expire(NOW - 10)
    assert.equal((await stored(sink)).length, isReadable(sink) ? 3 : 0, 'not before their age')
    await Promise.all([sink.expire(NOW), sink.expire(NOW)])
    const left = await Promise.all(['org-a', 'org-b', 'org-c', 'org-d'].map((orgId) => stored(sink, orgId)))
    assert.deepEqual(
      left.flat().map(({ messageId }) => messageId),
      isReadable(sink) ? retained.map(({ messageId }) => messageId) : []
    )

    await sink.write(retained.map((event) => ({ ...event, receivedAt: NOW + 5 })))
    const later = anEvent({ receivedAt: NOW + 6 })
    await sink.write([later])
    assert.deepEqual(
      (await stored(sink)).map(({ messageId }) => messageId),
      isReadable(sink) ? [later.messageId, retained[0]?.messageId] : [],
      'ids are still known'
    )
    await sink.expire(NOW + 100)
    await sink.expire(NOW + 100)
    assert.deepEqual(await stored(sink), [])
  })
}
