import t from 'tap'

import { eventId, hexOfId } from '../../../../plugins/event-sink/event-id.js'
import { decodeMessage, encodeEvent } from '../../../../plugins/event-sink/jetstream/message.js'
import { messagesOf, packedMessagesOf } from '../../../../plugins/event-sink/jetstream/packing.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { NAUGHTY } from '../../../helpers/naughty-strings.js'

const MEGABYTE = 1024 * 1024
const bytes = (text: string) => new TextEncoder().encode(text)
const byId = (events: readonly AcceptedEvent[]) => new Map(events.map((event) => [eventId(event), event]))

t.test('an event is decoded from its message unchanged, with unusual strings in every field', async (t) => {
  for (const text of NAUGHTY) {
    // A client can send spaces, repeated members, numbers beyond the range of JavaScript and characters that
    // UTF-8 cannot encode.
    const raw = text.replaceAll(/["\\\p{Cc}]/gu, '')
    const payload = `{ "a" :${JSON.stringify(text)},"raw":"${raw}","big":12345678901234567890123,"a":1e2}`
    const event = anEvent({
      orgId: text,
      sourceId: text,
      messageId: text,
      ip: text,
      userAgent: text,
      payload,
      additions: JSON.stringify({ text })
    })
    const { events, broken } = decodeMessage(bytes(encodeEvent(event)))
    t.equal(broken, 0)
    t.strictSame(events, [event])
  }
})

t.test('fields that are not strings are decoded unchanged', async (t) => {
  const variants: Array<Partial<AcceptedEvent>> = [{ userAgent: null }, { bot: true }, { bot: false }, {
    timestamp: Date.parse('-000001-12-31T00:00:00.000Z')
  }, { authMethod: 'signature', type: 'alias' }]
  for (const fields of variants) {
    const event = anEvent(fields)
    t.strictSame(decodeMessage(bytes(encodeEvent(event))).events, [event])
  }
})

t.test('invalid events are counted and left out, and valid events beside them are kept', async (t) => {
  const good = anEvent()
  const fields = JSON.parse(encodeEvent(good)) as Record<string, unknown>
  const changed = (change: object) => JSON.stringify({ ...fields, ...change })
  const wrong = [
    '',
    '{',
    'null',
    '[]',
    '7',
    '"x"',
    '{}',
    changed({ orgId: 7 }),
    changed({ sourceId: null }),
    changed({ messageId: undefined }),
    changed({ type: 'delete' }),
    changed({ authMethod: 'none' }),
    changed({ receivedAt: '2026' }),
    changed({ receivedAt: null }),
    changed({ timestamp: 1e300 }),
    changed({ ip: {} }),
    changed({ userAgent: 1 }),
    changed({ payload: {} }),
    changed({ payload: '{' }),
    changed({ payload: '[]' }),
    changed({ payload: 'null' }),
    changed({ additions: '"x"' })
  ]
  for (const line of wrong) t.same(decodeMessage(bytes(line)), { events: [], broken: 1 }, line)
  const lines = wrong.flatMap((line) => [line, encodeEvent(good)])
  t.same(decodeMessage(bytes(lines.join('\n'))), { events: wrong.map(() => good), broken: wrong.length })
  t.same(decodeMessage(new Uint8Array([0x7b, 0xff, 0x7d])), { events: [], broken: 1 }, 'not UTF-8')
  t.same(decodeMessage(bytes(changed({ more: 1 }))).events, [good], 'unknown members of a later version are ignored')
})

t.test("the message of an event has the event's id, and different events have different ids", async (t) => {
  const event = anEvent({ messageId: 'a b\r\nNats-Msg-Id: c' })
  const others: AcceptedEvent[] = [{ ...event, sourceId: 'other' }, { ...event, authMethod: 'signature' }, {
    ...event,
    messageId: 'other'
  }]
  const messages = messagesOf(byId([event, ...others]), 'events', MEGABYTE)
  t.equal(messages[0]?.id, hexOfId(eventId(event)))
  t.match(messages[0]?.id, /^[0-9a-f]{32}$/)
  t.equal(new Set(messages.map(({ id }) => id)).size, 4)
  t.equal(
    messages[0]?.id,
    messagesOf(byId([{ ...event, payload: '{}', receivedAt: 0 }]), 'events', MEGABYTE)[0]?.id,
    'the id depends only on the identity of the event'
  )
})

t.test('events are packed into as few messages as the maximum size allows, and always in the same way', async (t) => {
  const events = Array.from({ length: 50 }, () => anEvent({ payload: JSON.stringify({ text: 'é'.repeat(500) }) }))
  const packed = packedMessagesOf(byId(events), 'events', 10_000)
  t.ok(packed.every(({ body, subject }) => body.length < 10_000 && subject === 'events._packed'))
  t.ok(packed.slice(0, -1).every(({ body }) => body.length > 8_000))
  t.strictSame(packed.flatMap(({ body }) => decodeMessage(body).events), events)
  t.same(packedMessagesOf(byId(events), 'events', 10_000).map(({ id }) => id), packed.map(({ id }) => id))
  t.equal(new Set(packed.map(({ id }) => id)).size, packed.length)
  t.equal(packedMessagesOf(byId(events), 'events', MEGABYTE).length, 1)
})

t.test('an event that is too large for a message or a subject is an error with the reason', async (t) => {
  const large = byId([anEvent(), anEvent({ payload: JSON.stringify({ text: 'x'.repeat(10_000) }) })])
  t.throws(() => messagesOf(large, 'events', 10_000), { message: /larger|too long/ })
  t.throws(() => packedMessagesOf(large, 'events', 10_000), { message: /larger|too long/ })
  t.throws(() => messagesOf(byId([anEvent({ orgId: 'é'.repeat(500) })]), 'events', MEGABYTE), {
    message: /larger|too long/
  })
})
