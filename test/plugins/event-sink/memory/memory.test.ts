import t from 'tap'

import { memorySink } from '../../../../plugins/event-sink/memory/index.js'
import { anEvent, eventSinkContract } from '../../../../conformance/event-sink/index.js'

t.test('the memory sink keeps the contract', async (t) => {
  await eventSinkContract(t, async () => memorySink())
})

t.test('a full memory sink refuses writes and drops no event', async (t) => {
  const sink = memorySink({ capacity: 2 })
  await sink.write([anEvent(), anEvent()])
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  t.equal((await sink.list('org-a', {}, { limit: 100 })).data.length, 2)
})
