import fc from 'fast-check'
import t from 'tap'

import {
  allSubjects, assertSubjectPrefix, fromToken, packedSubject, subjectOf,
  toToken
} from '../../../../plugins/event-sink/jetstream/subject.js'

t.test('a subject has one token each for the organisation, the source and the type, with any names', async (t) => {
  t.equal(subjectOf('events', { orgId: '5f2b-1c', sourceId: 'shop_1', type: 'track' }), 'events.5f2b-1c.shop_1.track')
  t.equal(subjectOf('acme.events', { orgId: 'a.b', sourceId: '*', type: 'page' }), 'acme.events.a%2Eb.%2A.page')
  t.equal(subjectOf('events', { orgId: '', sourceId: '>', type: 'group' }), 'events.%.%3E.group')
  t.equal(packedSubject('events'), 'events._packed')
  t.equal(allSubjects('events'), 'events.>')
})

const tokens = [
  [' ', '%20'],
  ['\t\r\n', '%09%0D%0A'],
  ['\u0000', '%00'],
  ['%', '%25'],
  ['%20', '%2520'],
  ['é', '%C3%A9'],
  ['🙂', '%F0%9F%99%82'],
  ['$JS', '%24JS'],
  ['\ud800', '%uD800'],
  ['a\udfffb', 'a%uDFFFb'],
  ['\udc00\ud800', '%uDC00%uD800'],
  ['u0041', 'u0041'],
  ['\u202e', '%E2%80%AE']
] as const

t.test('characters that a token cannot contain are percent-encoded', async (t) => {
  for (const [text, token] of tokens) {
    t.equal(toToken(text), token)
    t.equal(fromToken(token), text)
  }
})

t.test('every string is decoded from its token unchanged, and no token contains a special character', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const token = toToken(text)
    return fromToken(token) === text && /^[\w%-]+$/.test(token)
  }))
  fc.assert(fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe100 })), (codes) => {
    const text = String.fromCharCode(...codes)
    return fromToken(toToken(text)) === text
  }))
})

t.test('a token that encodes no string is decoded to null', async (t) => {
  for (
    const token of ['', '%%', '%2', '%2e', '%41', '%u0041', '%uD800%uDC00', '%FF', 'a.b', '*', '>', 'é', 'a b', '%25%']
  ) t.equal(fromToken(token), null, token)
})

t.test('only a prefix of plain tokens is accepted', async (t) => {
  for (const prefix of ['events', 'acme.events', 'a-b._c']) t.doesNotThrow(() => assertSubjectPrefix(prefix))
  for (const prefix of ['', '.', 'a.', '.a', 'a..b', 'a.*', '>', 'a b', '$JS', 'é', 'x'.repeat(101), 7, undefined]) {
    t.throws(() => assertSubjectPrefix(prefix), { code: 'INVALID_OPTIONS', message: /"stream\.subjectPrefix"/ })
  }
})
