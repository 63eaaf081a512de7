import t from 'tap'

import { parseCsv } from '../../../helpers/csv.js'
import { exportEvents, storeEvents } from '../../../helpers/event-export.js'
import { liveGateway } from '../../../helpers/live-gateway.js'

const COLUMNS = ['id', 'received_at', 'timestamp', 'type', 'event', 'name', 'message_id', 'user_id', 'anonymous_id',
  'group_id', 'source_id', 'auth_method', 'environment', 'ip', 'user_agent', 'properties', 'traits', 'context']

async function exported (t: Parameters<typeof liveGateway>[0], payloads: readonly object[]) {
  const gateway = await liveGateway(t)
  await storeEvents(gateway, payloads.length, (n) => ({
    payload: JSON.stringify(payloads[n]), additions: '{"environment":"live"}'
  }))
  const response = await exportEvents(gateway, '?format=csv')
  const text = await response.text()
  const [header, ...records] = parseCsv(text)
  const objects = records.map((cells) => Object.fromEntries(cells.map((cell, at) => [COLUMNS[at] ?? at, cell])))
  return { gateway, response, text, header, records: objects.reverse() }
}

t.test('a CSV export has a header line and a record of all columns for each event', async (t) => {
  const { gateway, response, header, records } = await exported(t, [
    { event: 'Bought', userId: 'u', properties: { big: 1 }, context: { page: { url: 'https://example.com' } } },
    { name: 'Home', anonymousId: 'a', groupId: 'g', userId: null, traits: {} }
  ])
  t.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  t.match(response.headers.get('content-disposition'), /\.csv"$/)
  t.same(header, COLUMNS)
  const { data } = (await gateway.owner.get('/events')).json()
  t.same(records, [{
    id: data[1].id,
    received_at: '2026-01-15T00:00:00.000Z',
    timestamp: '2026-01-15T11:59:59.000Z',
    type: 'track',
    event: 'Bought',
    name: '',
    message_id: 'm0',
    user_id: 'u',
    anonymous_id: '',
    group_id: '',
    source_id: 'source-a',
    auth_method: 'key',
    environment: 'live',
    ip: '203.0.113.7',
    user_agent: 'tests',
    properties: '{"big":1}',
    traits: '',
    context: '{"page":{"url":"https://example.com"}}'
  }, { ...records[1], name: 'Home', anonymous_id: 'a', group_id: 'g', user_id: '', properties: '', traits: '{}' }])
})

t.test('cells keep commas, quotes and line breaks', async (t) => {
  const texts = ['a,b', 'a"b', '"', 'a\nb', 'a\r\nb', ' padded ', '""', 'é💡', 'a\u2028b']
  const { records } = await exported(t, texts.map((event) => ({ event })))
  t.same(records.map(({ event }) => event), texts)
})

t.test('a cell that a spreadsheet would read as a formula starts with an apostrophe', async (t) => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1', "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.com","x")', '",=1']
  const { records, text } = await exported(t, formulas.map((event) => ({ event, userId: event, name: event })))
  for (const [at, formula] of formulas.entries()) {
    const expected = formula.startsWith('"') ? formula : `'${formula}`
    t.same([records[at]?.['event'], records[at]?.['user_id'], records[at]?.['name']], [expected, expected, expected])
  }
  t.same(parseCsv(text).flat().filter((cell) => /^[=+\-@\t\r\n＝＋－＠]/.test(cell)), [])
})
