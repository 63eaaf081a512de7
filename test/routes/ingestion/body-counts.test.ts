import { gzipSync } from 'node:zlib'

import t from 'tap'

import { memorySink } from '../../../plugins/event-sink/memory/index.js'
import { codeOf, gateway } from '../../helpers/gateway.js'

const noHeader = { authorization: [] as string[] }
const page = '{"type":"page"}'
const members = (count: number) => Array.from({ length: count }, (_none, at) => `"k${at}":1`).join(',')
const list = (count: number, element: string) => `[${Array<string>(count).fill(element).join(',')}]`

/** Places in a batch that can have many members or elements, with the highest accepted count. */
const PLACES: Array<[place: string, most: number, body: (count: number) => string]> = [
  ['members beside the batch', 9_999, (count) => `{"batch":[${page}],${members(count)}}`],
  ['members of its context', 9_997, (count) => `{"batch":[${page}],"context":{${members(count)}}}`],
  ['members deep in its context', 9_996, (count) => `{"batch":[${page}],"context":{"page":{${members(count)}}}}`],
  ['members of its integrations', 9_997,
    (count) => `{"batch":[${page}],"integrations":{"a":[${list(count, '{"b":1}').slice(1, -1)}]}}`],
  ['elements beside the batch', 99_990, (count) => `{"batch":[${page}],"x":${list(count, '1')}}`],
  ['empty objects beside the batch', 49_990, (count) => `{"batch":[${page}],"x":${list(count, '{}')}}`],
  ['elements in objects beside the batch', 49_990, (count) => `{"batch":[${page}],"x":{"y":[${list(count, '[]')}]}}`],
  ['elements of its events', 99_000,
    (count) => `{"batch":${list(10, `{"type":"page","x":${list(count / 10, '1')}}`)}}`],
  ['members of all events', 49_990, (count) => `{"batch":${list(10, `{"type":"page",${members(count / 10 - 1)}}`)}}`],
  ['numbers that are not events', 99_990, (count) => `{"x":${list(count, '1')},"batch":[${page}]}`]
]

for (const [place, most, body] of PLACES) {
  t.test(`the ${place} are counted before the body is parsed`, async (t) => {
    const { post, signed } = await gateway(t, { sink: memorySink() })
    const fits = await post('/v1/batch', body(most - most % 10))
    t.equal(fits.statusCode, 200, fits.body.slice(0, 200))
    for (const count of [most + 10_000, 400_000]) {
      const text = body(count)
      for (const [name, send] of [['plain', post], ['signed', signed]] as const) {
        const refused = await send('/v1/batch', text)
        t.same([refused.statusCode, codeOf(refused)], [400, 'INVALID_REQUEST'], `${count}, ${name}`)
        const inflated = await send('/v1/batch', gzipSync(text), { 'content-encoding': 'gzip' })
        t.same([inflated.statusCode, codeOf(inflated)], [400, 'INVALID_REQUEST'], `${count}, ${name}, gzip`)
      }
      t.equal((await post('/v1/batch', text, noHeader)).statusCode, 401, 'without a key')
      const keyless = gzipSync(text)
      const inflated = await post('/v1/batch', keyless, { ...noHeader, 'content-encoding': 'gzip' })
      t.equal(inflated.statusCode, keyless.length > 65_536 ? 401 : 400, 'without a key, gzip')
    }
  })
}

t.test('a batch with 50 000 members is accepted, and a batch with one more is 400', async (t) => {
  const { post } = await gateway(t, { sink: memorySink() })
  const events = Array.from({ length: 10 }, () => `{"type":"page",${members(4_998)}}`)
  // "batch" and the "type" of each event count too.
  const body = (more: number) => `{"batch":[${events.join(',')},{"type":"page",${members(8 + more)}}]}`
  t.equal((await post('/v1/batch', body(0))).statusCode, 200)
  t.same(codeOf(await post('/v1/batch', body(1))), 'INVALID_REQUEST')
})

t.test('an event above 64 KB is refused before it is parsed, and an event with more than 10 000 members is ' +
  '400', async (t) => {
  const { post, stored } = await gateway(t)
  const event = (text: string) => `{"event":"E","x":${text}}`
  for (
    const [text, status] of [
      [event(`{${members(10_001)}}`), 400],
      [event(list(30_000, '{}')), 413],
      [event(list(100_001, '1')), 400],
      [event(list(32_000, '1')), 200],
      [`{"event":"E","x":"${'x'.repeat(70_000)}" and no JSON`, 413]
    ] as const
  ) t.equal((await post('/v1/t', text)).statusCode, status, text.slice(0, 60))
  t.equal((await stored()).length, 1)
})
