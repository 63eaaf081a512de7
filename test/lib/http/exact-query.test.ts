import t from 'tap'

import { exactQuery } from '../../../lib/http/exact-query.js'

t.test('values are returned exactly, also characters that other decoders change or refuse', async (t) => {
  for (const [encoded, decoded] of [
    ['a', 'a'],
    ['', ''],
    ['a+b%2Bc', 'a b+c'],
    ['a%20b%3Dc%26d', 'a b=c&d'],
    ['a=b', 'a=b'],
    ['%00', '\u0000'],
    ['%C3%A9', 'é'],
    ['%F0%9F%92%A1', '💡'],
    ['%EF%BB%BFa', '\ufeffa'],
    ['%EF%BF%BD', '\ufffd'],
    ['%ED%A0%80', '\ud800'],
    ['x%ED%BF%BFy%ED%A0%80', 'x\udfffy\ud800'],
    ['%ED%9F%BF%EE%80%80', '\ud7ff\ue000'],
    ['%25ED%25A0%2580', '%ED%A0%80']
  ] as const) {
    t.same(exactQuery(`/events?other=1&user_id=${encoded}&x`, ['user_id']), new Map([['user_id', [decoded]]]), encoded)
  }
})

t.test('each value of a repeated parameter is returned, and no parameter that was not asked for', async (t) => {
  t.same(exactQuery('/events?a=1&b=2&%61=3', ['a', 'c']), new Map([['a', ['1', '3']]]))
  t.same(exactQuery('/events', ['a']), new Map())
  t.same(exactQuery('/events?a', ['a']), new Map())
})

t.test('a value that is not UTF-8 is refused', async (t) => {
  for (const encoded of ['%FF', '%C3', '%C0%80', '%F8%88%80%80%80', '%ED%A0', '%E9x']) {
    t.throws(() => exactQuery(`/events?user_id=${encoded}`, ['user_id']), { code: 'INVALID_REQUEST' }, encoded)
  }
})
