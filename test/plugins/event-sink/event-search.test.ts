import t from 'tap'

import { searchOf } from '../../../plugins/event-sink/event-search.js'
import { viewEvent } from '../../../plugins/event-sink/event-view.js'
import { publicId, receivedAtOf } from '../../../plugins/event-sink/public-id.js'
import { keyOf } from '../../../plugins/event-sink/sql/keys.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { memorySink } from '../../../plugins/event-sink/memory/index.js'
import { gateway } from '../../helpers/gateway.js'

t.test('stored keys do not change', async (t) => {
  t.same(['', 'a', 'b', 'user-1', '\u0000', '\ud800', '💡', 'x'.repeat(1_000)].map(keyOf),
    [7385, -13024, -13591, -29657, 22547, -11874, 6980, -31052])
})

t.test('the ids of events differ by source, auth method, message and time of receipt, and contain that time', async (t) => {
  const event = anEvent()
  const others = [event, { ...event, sourceId: 'b' }, { ...event, authMethod: 'signature' as const },
    { ...event, messageId: 'b' }, { ...event, receivedAt: event.receivedAt + 1 }]
  t.equal(new Set(others.map(publicId)).size, others.length)
  t.equal(publicId({ ...event, payload: '{}', ip: '' }), publicId(event))
  for (const receivedAt of [0, -1, 8.64e15, event.receivedAt]) {
    t.equal(receivedAtOf(publicId({ ...event, receivedAt })), receivedAt)
  }
  for (const id of ['', 'evt_', `evt_${'A'.repeat(23)}`, `evt_f${'_'.repeat(23)}`, `x${publicId(event)}`]) {
    t.equal(receivedAtOf(id), null, id)
  }
})

t.test('the gateway sets the same properties to search by as are read from the JSON of the event', async (t) => {
  const events: AcceptedEvent[] = []
  const sink = {
    ...memorySink(),
    async write (written: readonly AcceptedEvent[]) {
      events.push(...written)
    }
  }
  const { post } = await gateway(t, { sink })
  const bodies = ['{"event":"e","userId":"u","anonymousId":"a"}', '{"event":"e","userId":"u","anonymousId":null}',
    '{"event":"e","userId":"","anonymousId":""}', '{"event":"\\u0065","userId":"\\ud800"}', '{"event":"e","userId":7}',
    '{"event":"e","anonymousId":12345678901234567890}']
  for (const body of bodies) t.equal((await post('/v1/track', body)).statusCode, 200)
  t.equal(events.length, bodies.length)
  for (const event of events) {
    const { search: _search, ...stored } = event
    const { event: name, userId = null, anonymousId = null } = viewEvent(stored)
    t.same(searchOf(event), { event: name, userId, anonymousId })
    t.same(searchOf(event), searchOf(stored), event.payload)
  }
})
