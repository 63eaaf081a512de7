import t from 'tap'

import { attributionOf } from '../../../routes/ingestion/page-url.js'
import { parseTimestamp } from '../../../routes/ingestion/timestamp.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { stringWork } from '../../helpers/string-work.js'

const at = (url: unknown): Record<string, unknown> => ({
  event: 'e',
  userId: 'u',
  context: { page: { url, title: 'T' } }
})

t.test('campaign and click ids are read from the URL of the page', async (t) => {
  const { post, stored, accepted } = await gateway(t)
  const url =
    'https://shop.example.com/x?utm_source=news&utm_medium=email&utm_campaign=May%20%E2%82%AC&utm_term=a+b&utm_content=c&utm_id=7' +
    '&gclid=g1&fbclid=f1&ttclid=t1&epik=e1&ScCid=s1&li_fat_id=l1&other=1#utm_source=hash'
  await post('/v1/t', at(url))
  t.match((await stored())[0], {
    context: {
      page: { url, title: 'T' },
      campaign: { source: 'news', medium: 'email', name: 'May €', term: 'a b', content: 'c', id: '7' },
      clickIds: { gclid: 'g1', fbclid: 'f1', ttclid: 't1', epik: 'e1', ScCid: 's1', li_fat_id: 'l1' }
    }
  })
  t.equal((await accepted())[0]?.payload, JSON.stringify(at(url)))
  await post('/v1/batch', { context: { page: { url: 'https://x.test/?gclid=g2' } }, batch: [{ type: 'page' }] })
  t.match((await stored())[1], { context: { page: { url: 'https://x.test/?gclid=g2' }, clickIds: { gclid: 'g2' } } })
})

t.test('campaign and consent of the client are kept', async (t) => {
  const { post, stored } = await gateway(t)
  const context = {
    page: { url: 'https://x.test/?utm_source=url&gclid=1' },
    campaign: { source: 'own' },
    consent: { categoryPreferences: { ads: false } }
  }
  await post('/v1/t', { event: 'e', context })
  t.same((await stored())[0]?.['context'], { ...context, clickIds: { gclid: '1' } })
})

t.test('an invalid URL, or a URL without campaign and click ids, adds nothing to the event', async (t) => {
  const { post, accepted } = await gateway(t)
  for (
    const url of ['https://x.test/', 'https://x.test/?q=utm_', 'https://x.test/utm_source=1', '?', '', 7, null, [
      '?gclid=1'
    ], { gclid: 1 }, '#?gclid=']
  ) {
    t.equal((await post('/v1/t', at(url))).statusCode, 200, JSON.stringify(url))
  }
  for (const context of [{ page: 1 }, { page: null }, { page: [] }, {}]) {
    t.equal((await post('/v1/t', { event: 'e', userId: 'u', context })).statusCode, 200)
  }
  for (const { additions } of await accepted()) t.notMatch(additions, 'context')
})

t.test('unusual queries do not pollute a prototype, and values are limited', async (t) => {
  t.same(attributionOf('?utm___proto__=x&utm_constructor=y&utm_=z&utm_A=b'), {
    campaign: { constructor: 'y' },
    clickIds: null
  })
  t.equal(attributionOf('?gclid=&utm_source='), null)
  t.equal(attributionOf('https://x.test/&gclid=1#?gclid=1'), null)
  t.same(attributionOf('?gclid=first&gclid=second&utm_source=a&utm_source=b'), {
    campaign: { source: 'a' },
    clickIds: { gclid: 'first' }
  })
  t.same(attributionOf('?gclid=%E0%A4%A&utm_source=%'), { campaign: { source: '%' }, clickIds: { gclid: '\ufffd%A' } })
  t.equal(attributionOf(`?utm_source=${'x'.repeat(60_000)}`)?.campaign?.['source']?.length, 512)
})

t.test('a query of any length is read at most twice', async (t) => {
  const endless = `?${Array.from({ length: 5_000 }, (_, n) => `utm_a${n}=1`).join('&')}`
  t.equal(Object.keys(attributionOf(endless)?.campaign ?? {}).length, 16)
  for (const url of [endless, '?&utm'.repeat(13_000), '?utm_a=&'.repeat(8_000), '?gclid=%'.repeat(8_000)]) {
    const { read } = await stringWork(() => attributionOf(url))
    t.ok(read < 2 * url.length, `${read} characters of ${url.length} are read`)
  }
})

t.test('a timestamp is ISO-8601, at any time in the past or at most 24 hours ahead', async (t) => {
  const { post, accepted } = await gateway(t)
  const ahead = (ms: number): string => new Date(Date.now() + ms).toISOString()
  for (
    const [timestamp, expected] of [
      ['2024-01-02T03:04:05.678Z', '2024-01-02T03:04:05.678Z'],
      ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000Z'],
      ['2024-01-02T03:04Z', '2024-01-02T03:04:00.000Z'],
      ['2024-01-02', '2024-01-02T00:00:00.000Z'],
      ['2024-01-02T03:04:05.123456+02:00', '2024-01-02T01:04:05.123Z'],
      ['2024-01-02T03:04:05-0530', '2024-01-02T08:34:05.000Z'],
      ['2024-01-02 03:04:05', '2024-01-02T03:04:05.000Z'],
      ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
      ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
      ['2024-01-01T00:00:00+00', '2024-01-01T00:00:00.000Z'],
      ['2024-01-01 00:00:00+00', '2024-01-01T00:00:00.000Z'],
      ['2024-01-01T02:00:00-02', '2024-01-01T04:00:00.000Z'],
      ['20240101T000000Z', '2024-01-01T00:00:00.000Z'],
      ['20240101T000000.25+0130', '2023-12-31T22:30:00.250Z'],
      ['20240101T0130', '2024-01-01T01:30:00.000Z'],
      ['20240101', '2024-01-01T00:00:00.000Z'],
      ['2024-01-01T24:00:00Z', '2024-01-02T00:00:00.000Z'],
      ['2023-12-31T24:00Z', '2024-01-01T00:00:00.000Z'],
      ['20231231T240000Z', '2024-01-01T00:00:00.000Z'],
      ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
      ['2016-12-31T23:59:60.5Z', '2017-01-01T00:00:00.500Z'],
      ['2017-01-01T05:29:60+05:30', '2017-01-01T00:00:00.000Z'],
      ['0050-01-01', '0050-01-01T00:00:00.000Z'],
      ['2024-01-02t03:04:05z', '2024-01-02T03:04:05.000Z']
    ] as const
  ) {
    t.equal((await post('/v1/t', { event: 'e', timestamp })).statusCode, 200, timestamp)
    t.equal(new Date((await accepted()).at(-1)?.timestamp ?? NaN).toISOString(), expected, timestamp)
  }
  t.equal((await post('/v1/t', { event: 'e', timestamp: ahead(86_390_000) })).statusCode, 200)
  const count = (await accepted()).length
  for (
    const timestamp of [
      '',
      'now',
      'yesterday',
      '1',
      '1704164645678',
      '2024',
      '2024-01',
      'June 3 2024',
      'Tue, 02 Jan 2024 03:04:05 GMT',
      '01/02/2024',
      '2024-1-2',
      '2024-13-01T00:00:00Z',
      '2024-02-30T00:00:00Z',
      '2023-02-29',
      '2024-01-00',
      '2024-01-01T24:00:01Z',
      '2024-01-01T24:30Z',
      '2024-01-01T25:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-12-31T23:59:61Z',
      '20240101T0000:00Z',
      '2024-0101',
      '20240101T24000',
      '2024-01-01T00:00:60Z',
      '2024-01-01T00:00:00+24:00',
      '+275761-01-01T00:00:00Z',
      '275761-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      '2024-01-02T03:04:05.Z',
      '2024-01-02T03:04:05Z ',
      ' 2024-01-02',
      '2024-01-02T03:04:05ZZ',
      '\u0662024-01-02',
      '2024-W01-2',
      '2024-002',
      '9999-12-31T23:59:59Z',
      ahead(86_410_000),
      'x'.repeat(100_000).slice(0, 60_000)
    ]
  ) {
    const response = await post('/v1/t', { event: 'e', timestamp })
    t.equal(response.statusCode, 400, timestamp.slice(0, 40))
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  t.equal((await accepted()).length, count)
})

t.test('each day of a leap year and of another year is parsed like Date', async (t) => {
  for (const year of [2023, 2024]) {
    for (let day = 0; day < 366; day++) {
      const iso = new Date(Date.UTC(year, 0, 1 + day, 13, 14, 15, 167)).toISOString()
      if (parseTimestamp(iso) !== Date.parse(iso)) t.fail(iso)
    }
  }
})
