import fc from 'fast-check'
import t from 'tap'

import { eventJson } from '../../../plugins/event-sink/event-view.js'
import { EventSchema } from '../../../schemas/event.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'

/** Paths of the members that the server reads, from the event down. */
const KNOWN: string[][] = [
  ...[...Object.keys(EventSchema.properties), 'writeKey'].map((name) => [name]),
  ...['ip', 'userAgent', 'bot', 'page', 'campaign', 'clickIds'].map((name) => ['context', name]),
  ['context', 'page', 'url']
]

/** The key as JSON, with at most one of its characters escaped. */
function spelt (key: string, escaped: number): string {
  if (escaped >= key.length) return JSON.stringify(key)
  return `"${key.slice(0, escaped)}\\u${key.charCodeAt(escaped).toString(16).padStart(4, '0')}${
    key.slice(escaped + 1)
  }"`
}

/** The members of an event in which the last member of a path occurs twice, with `between` in the middle. */
function twice ([name = '', ...rest]: string[], between: string, escaped: number): string {
  if (rest.length > 0) return `"${name}":{${twice(rest, between, escaped)}}`
  return `"${name}":null,${between}${spelt(name, escaped)}:null`
}

const place = fc.record({
  path: fc.constantFrom(...KNOWN),
  between: fc.constantFrom('', '"x":1,', '"userIds":[{"userId":1,"userId":2}],', '"text":"\\"userId\\":",', ' \n'),
  escaped: fc.nat({ max: 12 }),
  pad: fc.constantFrom(0, 5_000)
})

function eventWith (
  { path, between, escaped, pad }: { path: string[], between: string, escaped: number, pad: number }
): string {
  const needed = [['type', '"type":"track"'], ['event', '"event":"E"'], ['userId', '"userId":"u"']].filter(([name]) =>
    name !== path[0]
  )
  return `{${
    [...needed.map(([, text]) => text), `"pad":"${'x'.repeat(pad)}"`, twice(path, between, escaped)].join(',')
  }}`
}

t.test('a known member that occurs twice in an event is 400 at each level, in any spelling of its key', async (t) => {
  const { post, signed, stored } = await gateway(t)
  await fc.assert(
    fc.asyncProperty(place, async (where) => {
      const text = eventWith(where)
      for (
        const response of [await post('/v1/t', text), await signed('/v1/t', text), await signed('/v1/events', text)]
      ) {
        if (response.statusCode !== 400 || codeOf(response) !== 'INVALID_REQUEST') throw new Error(response.body)
        t.match(
          response.json().error.details,
          [{ path: `/${where.path.join('/')}`, message: 'must not occur twice' }],
          text.slice(0, 200)
        )
      }
    }),
    { numRuns: 60 }
  )
  t.equal((await stored()).length, 0)
})

t.test('in a batch a member that occurs twice is an error of only its event', async (t) => {
  const { post, stored } = await gateway(t)
  await fc.assert(
    fc.asyncProperty(place, async (where) => {
      const response = await post(
        '/v1/batch',
        `{"context":{"app":{}},"batch":[{"type":"page","userId":"u"},${eventWith(where)}]}`
      )
      const { accepted, errors } = response.json()
      t.same({ accepted, errors }, {
        accepted: 1,
        errors: [{
          index: 1,
          messageId: null,
          code: 'INVALID_REQUEST',
          message: `/${where.path.join('/')} must not occur twice`
        }]
      })
    }),
    { numRuns: 60 }
  )
  t.ok((await stored()).every(({ type }) => type === 'page'))
})

t.test('a known member of a batch that occurs twice refuses the batch', async (t) => {
  const { post, signed, key, stored } = await gateway(t)
  const batch = '"batch":[{"type":"page","userId":"u"}]'
  const cases: Array<[path: string, text: string]> = [
    ['/batch', `{${batch},"b\\u0061tch":[{"type":"page","userId":"u","name":"last"}]}`],
    ['/batch', `{"batch":1,${batch}}`],
    ['/context', `{"context":{},${batch},"c\\u006fntext":{}}`],
    ['/context/ip', `{"context":{"ip":"192.0.2.1","ip":"192.0.2.2"},${batch}}`],
    ['/context/page/url', `{"context":{"page":{"url":"https://a.test","u\\u0072l":"https://b.test"}},${batch}}`],
    ['/integrations', `{"integrations":{},"integrations":{},${batch}}`],
    ['/sentAt', `{"sentAt":1,"sentAt":1,${batch}}`],
    ['/writeKey', `{"writeKey":"${key}","writeKey":"${key}",${batch}}`]
  ]
  for (const [path, text] of cases) {
    for (const send of [post, signed]) {
      const response = await send('/v1/batch', text)
      t.equal(response.statusCode, 400, text)
      t.match(response.json().error, { code: 'INVALID_REQUEST', details: [{ path, message: 'must not occur twice' }] })
    }
  }
  t.equal((await stored()).length, 0)
})

t.test('a writeKey that occurs twice is 400 if its source is known', async (t) => {
  const { post, key } = await gateway(t)
  const response = await post('/v1/t', `{"event":"E","writeKey":"${key}","write\\u004bey":"${key}"}`, {
    authorization: []
  })
  t.match(response.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/writeKey' }] })
})

t.test('unknown members that occur twice are stored unchanged', async (t) => {
  const { post, accepted } = await gateway(t)
  const events = [
    '{"type":"page","x":1.0,"x":2,"\\u0078":3}',
    '{"type":"page","properties":{"userId":"a","userId":"b","deep":{"k":[{"type":1,"type":2}]}}}',
    '{"type":"page","context":{"app":{"name":"a","name":"b"},"screen":1,"screen":2,"page":{"title":"a","title":"b","referrer":{"url":1,"url":2}}}}',
    '{"type":"page","traits":{"context":{"ip":1,"ip":2}},"integrations":{"All":true,"All":false}}'
  ]
  for (const text of events) t.equal((await post('/v1/p', text)).statusCode, 200, text)
  t.equal(
    (await post('/v1/batch', `{"more":1,"more":2,"batch":[${events.join(',')}]}`)).body,
    '{"success":true,"accepted":4}'
  )
  t.same((await accepted()).map(({ payload }) => payload), [...events, ...events])
  t.match(eventJson((await accepted())[0] as never), '"x":1.0,"x":2,"\\u0078":3', 'both are shown')
})

t.test('both values of a repeated member of a batch are merged under its events', async (t) => {
  const { post, accepted } = await gateway(t)
  await post(
    '/v1/batch',
    '{"context":{"a":1,"a":2,"o":{"n":1,"n":2}},"batch":[{"type":"page"},{"type":"page","context":{"b":1,"b":2,"o":{"m":1}}},{"type":"page","context":{"a":3}}]}'
  )
  const [first, second, third] = await accepted()
  t.match(first?.additions, '"context":{"a":1,"a":2,"o":{"n":1,"n":2}}')
  t.match(second?.additions, '"context":{"a":1,"a":2,"b":1,"b":2,"o":{"n":1,"n":2,"m":1}}')
  t.match(third?.additions, '"context":{"o":{"n":1,"n":2},"a":3}')
})

t.test('a repeated member of a delivery is 400 if the mapping reads it, and is kept otherwise', async (t) => {
  const { deliver, stored, accepted } = await webhookGateway(t, 'custom', {
    webhook: { mapping: { userId: '$.user.id', properties: '$.data', context: '$.context' } }
  })
  const refused = [
    '{"event":"a","event":"b","user":{"id":"u"}}',
    '{"event":"a","user":{"id":"u","i\\u0064":"v"}}',
    '{"event":"a","user":{"id":"v"},"user":{"id":"u"}}',
    '{"event":"a","user":{"id":"u"},"data":{},"data":{}}',
    '{"event":"a","user":{"id":"u"},"context":{"ip":"192.0.2.1","ip":"192.0.2.2"}}'
  ]
  for (const text of refused) {
    const response = await deliver(text)
    t.same([response.statusCode, codeOf(response)], [400, 'INVALID_REQUEST'], text)
  }
  t.equal((await stored()).length, 0)
  t.equal(
    (await deliver('{"event":"a","x":1,"x":2,"user":{"id":"u","name":"a","name":"b"},"data":{"y":1,"y":2}}'))
      .statusCode,
    200
  )
  t.match((await accepted())[0]?.payload, '"properties":{"y":1,"y":2}')
})
